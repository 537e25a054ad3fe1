import type { RejectionReason } from '../contracts/events.ts';
import type { Database, Transaction } from './database.ts';

/** A decision as it was stored; a redelivery repeats its event from it. */
export interface Decision {
  decidedAt: Date;
  fingerprint: string;
  /** Absent: the order was validated. */
  reasons?: RejectionReason[];
}

export interface DecidedOrder extends Decision {
  orderId: string;
  storeId: string;
  total: number;
  currency: string;
  /** Pieces reserved; 0 for a rejected order. */
  pieces: number;
  /** Milliseconds since the epoch. */
  placedAtMs: number;
  acceptedAtMs: number;
}

export interface OrderConflict {
  orderId: string;
  fingerprint: string;
  topic: string;
  partition: number;
  offset: number;
}

interface DecisionRow {
  orderId: string;
  decidedAt: Date;
  fingerprint: string;
  reasons: RejectionReason[] | null;
}

/** The decisions already taken on some orders. */
export async function findDecisions(
  sql: Database | Transaction,
  orderIds: readonly string[],
): Promise<Map<string, Decision>> {
  const rows = await sql<DecisionRow[]>`
    select order_id as "orderId", decided_at as "decidedAt", fingerprint, reasons
    from orders where order_id = any(${orderIds}::uuid[])`;
  return new Map(
    rows.map(({ orderId, decidedAt, fingerprint, reasons }) => [
      orderId,
      { decidedAt, fingerprint, ...(reasons === null ? {} : { reasons }) },
    ]),
  );
}

/** Stores new decisions, all taken at `decidedAt`. @throws a unique violation if one of the orders is decided already */
export async function insertDecisions(
  sql: Transaction,
  decidedAt: Date,
  orders: readonly Omit<DecidedOrder, 'decidedAt'>[],
): Promise<void> {
  if (orders.length === 0) return;
  await sql`
    insert into orders (order_id, store_id, decision, reasons, total, currency, pieces, fingerprint, placed_at, accepted_at, decided_at)
    select order_id, store_id, case when reasons is null then 'validated' else 'rejected' end, reasons::json, total, currency, pieces,
      fingerprint, to_timestamp(placed_at / 1000), to_timestamp(accepted_at / 1000), ${decidedAt}::timestamptz
    from unnest(
      ${orders.map((order) => order.orderId)}::uuid[],
      ${orders.map((order) => order.storeId)}::text[],
      ${orders.map((order) => (order.reasons === undefined ? null : JSON.stringify(order.reasons)))}::text[],
      ${orders.map((order) => order.total)}::integer[],
      ${orders.map((order) => order.currency)}::text[],
      ${orders.map((order) => order.pieces)}::integer[],
      ${orders.map((order) => order.fingerprint)}::text[],
      ${orders.map((order) => order.placedAtMs)}::float8[],
      ${orders.map((order) => order.acceptedAtMs)}::float8[]
    ) as t(order_id, store_id, reasons, total, currency, pieces, fingerprint, placed_at, accepted_at)`;
}

/** Notes orders that came again with other content, once for each content. */
export async function recordConflicts(sql: Transaction, conflicts: readonly OrderConflict[]): Promise<void> {
  if (conflicts.length === 0) return;
  await sql`
    insert into order_conflicts (order_id, fingerprint, topic, partition, record_offset)
    select * from unnest(
      ${conflicts.map((conflict) => conflict.orderId)}::uuid[],
      ${conflicts.map((conflict) => conflict.fingerprint)}::text[],
      ${conflicts.map((conflict) => conflict.topic)}::text[],
      ${conflicts.map((conflict) => conflict.partition)}::integer[],
      ${conflicts.map((conflict) => conflict.offset)}::bigint[]
    )
    on conflict do nothing`;
}
