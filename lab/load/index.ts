/** The room's door: what `ordermesh load` imports. */
export { type LoadReport, LoadRun, type Step } from './load-run.ts';
export { bottleneckOf } from './own-cost.ts';
export type { StepReport } from './tally.ts';
export type { Second } from './timeline.ts';
