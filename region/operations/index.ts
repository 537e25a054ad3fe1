/** The room's door: what other rooms import. */
export { type CaughtUp, catchUp } from './catch-up.ts';
export type { ChangeOverReport } from './change-over.ts';
export { type FailoverOutcome, failover } from './failover.ts';
export type { FinishReport } from './finish.ts';
export { hasStrayDatabase, isWell, type MeshHealth, meshHealth } from './mesh-health.ts';
export { regionsOf } from './pair.ts';
