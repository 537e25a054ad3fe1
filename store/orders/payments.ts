// Stores the payments of orders. Called by actors/payment/.

import type { PaymentMethod } from '../../contracts/order/order.ts';
import { column } from '../database/column.ts';
import type { Transaction } from '../database/database.ts';

/** How the payment of an order ended. */
export type PaymentOutcome = { status: 'paid'; reference: string } | { status: 'failed'; code: string; detail: string };

/** How a row of `payments` says it. */
export interface OutcomeColumns {
  status: 'paid' | 'failed';
  reference: string | null;
  code: string | null;
  detail: string | null;
}

export function outcomeOf({ status, reference, code, detail }: OutcomeColumns): PaymentOutcome {
  return status === 'paid'
    ? { status, reference: reference ?? '' }
    : { status, code: code ?? '', detail: detail ?? '' };
}

export interface NewPayment {
  orderId: string;
  storeId: string;
  method: PaymentMethod;
  /** Minor units. */
  amount: number;
  currency: string;
  outcome: PaymentOutcome;
}

/** A payment as it was first stored; for a redelivery its event is made from it again. */
export interface StoredPayment {
  outcome: PaymentOutcome;
  decidedAt: Date;
  /** Whether it is new. */
  isNew: boolean;
}

/**
 * Stores the payments of orders that have none yet. The first result of an order counts: for an order with a payment, the stored payment is
 * returned.
 */
export async function recordPayments(
  sql: Transaction,
  decidedAt: Date,
  payments: readonly NewPayment[],
): Promise<Map<string, StoredPayment>> {
  if (payments.length === 0) return new Map();
  const inserted = await sql<{ orderId: string }[]>`
    insert into payments (order_id, store_id, status, method, amount, currency, reference, code, detail, decided_at)
    select *, ${decidedAt}::timestamptz from unnest(
      ${column(payments, (payment) => payment.orderId)}::uuid[],
      ${column(payments, (payment) => payment.storeId)}::text[],
      ${column(payments, (payment) => payment.outcome.status)}::text[],
      ${column(payments, (payment) => payment.method)}::text[],
      ${column(payments, (payment) => payment.amount)}::integer[],
      ${column(payments, (payment) => payment.currency)}::text[],
      ${column(payments, ({ outcome }) => (outcome.status === 'paid' ? outcome.reference : null))}::text[],
      ${column(payments, ({ outcome }) => (outcome.status === 'failed' ? outcome.code : null))}::text[],
      ${column(payments, ({ outcome }) => (outcome.status === 'failed' ? outcome.detail : null))}::text[]
    )
    on conflict (order_id) do nothing returning order_id as "orderId"`;
  const isNew = new Set(inserted.map((row) => row.orderId));
  const known = payments.filter((payment) => !isNew.has(payment.orderId)).map((payment) => payment.orderId);
  const stored = known.length === 0 ? new Map<string, StoredPayment>() : await findPayments(sql, known);
  for (const { orderId, outcome } of payments) {
    if (isNew.has(orderId)) stored.set(orderId, { outcome, decidedAt, isNew: true });
  }
  return stored;
}

async function findPayments(sql: Transaction, orderIds: readonly string[]): Promise<Map<string, StoredPayment>> {
  const rows = await sql<({ orderId: string; decidedAt: Date } & OutcomeColumns)[]>`
    select order_id as "orderId", status, reference, code, detail, decided_at as "decidedAt"
    from payments where order_id = any(${orderIds}::uuid[])`;
  return new Map(rows.map((row) => [row.orderId, { outcome: outcomeOf(row), decidedAt: row.decidedAt, isNew: false }]));
}
