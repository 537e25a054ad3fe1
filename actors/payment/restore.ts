// Copies the results of payments from the log into a database that took over. Called during a failover (region/operations/restore.ts).

import type { OrderPaid, OrderPaymentFailed } from '../../contracts/events.ts';
import { giveBackStock, type NewPayment, recordPayments, type Transaction } from '../../store/index.ts';

/** A payment's result as it is in the log. */
export type LoggedPayment =
  | { type: 'order.paid'; event: OrderPaid }
  | { type: 'order.payment-failed'; event: OrderPaymentFailed };

/** Stores results that are in the log but not in a database that took over. Existing ones are not changed. */
export async function restorePayments(sql: Transaction, payments: readonly LoggedPayment[]): Promise<void> {
  const byTime = Map.groupBy(payments, ({ event }) => event.occurredAt);
  for (const [occurredAt, ofTurn] of byTime) {
    // The log may have an event more than once.
    const byOrder = new Map(ofTurn.map((payment) => [payment.event.orderId, newPayment(payment)]));
    const stored = await recordPayments(sql, new Date(occurredAt), [...byOrder.values()]);
    const failed = [...stored].filter(([, { isNew, outcome }]) => isNew && outcome.status === 'failed');
    await giveBackStock(
      sql,
      failed.map(([orderId]) => orderId),
    );
  }
}

function newPayment({ type, event }: LoggedPayment): NewPayment {
  const { orderId, storeId, total, currency } = event;
  const base = { orderId, storeId, method: event.payment.method, amount: total, currency };
  if (type === 'order.paid') return { ...base, outcome: { status: 'paid', reference: event.payment.reference } };
  const { code, detail } = event.payment;
  return { ...base, outcome: { status: 'failed', code, detail } };
}
