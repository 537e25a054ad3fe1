import type { OrderPaid, OrderPaymentFailed } from '../../contracts/events.ts';
import type { Transaction } from '../../store/index.ts';
import { type NewPayment, recordPayments } from '../../store/index.ts';

/** The outcome of a payment as the log tells it. */
export type LoggedPayment =
  | { type: 'order.paid'; event: OrderPaid }
  | { type: 'order.payment-failed'; event: OrderPaymentFailed };

/** Stores the outcomes that the log has and a database that took over does not. Those it has stay as they are. */
export async function restorePayments(sql: Transaction, payments: readonly LoggedPayment[]): Promise<void> {
  const byTime = Map.groupBy(payments, ({ event }) => event.occurredAt);
  for (const [occurredAt, ofTurn] of byTime) {
    // An event may stand in the log more than once.
    const byOrder = new Map(ofTurn.map((payment) => [payment.event.orderId, newPayment(payment)]));
    await recordPayments(sql, new Date(occurredAt), [...byOrder.values()]);
  }
}

function newPayment({ type, event }: LoggedPayment): NewPayment {
  const { orderId, storeId, total, currency } = event;
  const base = { orderId, storeId, method: event.payment.method, amount: total, currency };
  if (type === 'order.paid') return { ...base, outcome: { status: 'paid', reference: event.payment.reference } };
  const { code, detail } = event.payment;
  return { ...base, outcome: { status: 'failed', code, detail } };
}
