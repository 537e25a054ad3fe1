/** The room's door. */

export { stopWithParent } from '../telemetry/stop-with-parent.ts';
export { assertPortFree } from './ports.ts';
export { runInBackground } from './priority.ts';
export { SilenceWatch } from './silence-watch.ts';
export { type Stack, type StackOptions, startCore, startStack } from './stack.ts';
export { runningStackEnvironment, StackRunningError } from './state.ts';
