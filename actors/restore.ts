/** A door of the room: what other rooms import. */
export { type LoggedDecision, restoreDecisions } from './order-validator/restore.ts';
export { type LoggedPayment, restorePayments } from './payment/restore.ts';
