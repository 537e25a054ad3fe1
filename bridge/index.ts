/** The room's door: what other rooms import. */
export { startBridge } from './bridge.ts';
