/** The room's door: what other rooms import. */
export { type ChangeOverReport, changeOver } from './change-over.ts';
export { type FinishReport, type Flip, finish } from './finish.ts';
export { lookAtBoth, regionsOf, type SeenRegion } from './pair.ts';
export { within } from './within.ts';
