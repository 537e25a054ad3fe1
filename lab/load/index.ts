/** The room's door: what `ordermesh load` imports. */
export { findKnee, type Knee } from './knee.ts';
export { type LoadReport, LoadRun, type Step } from './load-run.ts';
export { loadPage } from './page/page.ts';
export type { StepReport } from './tally.ts';
export type { Second } from './timeline.ts';
