/** The room's door: what other rooms import. */

export { startRuntime } from './host/host.ts';
export { type RuntimeLimits, runtimeLimits } from './host/host-options.ts';
export { runtimePage } from './host/runtime-page.ts';
export type { PartitionView } from './host/runtime-view.ts';
export { startWorkerRole, type WorkerRoleOptions } from './worker-role.ts';
