/** The room's door: what other rooms import. */
export { type LoggedDecision, restoreDecisions } from './order-validator/restore.ts';
export { type LoggedPayment, restorePayments } from './payment/restore.ts';
