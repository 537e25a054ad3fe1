/** A door of the room: what other rooms import. */
export { startLoyalty } from './loyalty-function.ts';
