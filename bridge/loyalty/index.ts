/** The room's door: what other rooms import. */
export { startLoyalty } from './loyalty-function.ts';
