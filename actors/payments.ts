/** A door of the room: what commands need of payments. */
export { openProvider } from './payment/open-provider.ts';
export { type Reconciliation, type ReconciliationFault, reconcile } from './payment/reconcile.ts';
export { paymentSettings } from './payment/settings.ts';
