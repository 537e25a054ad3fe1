// Stores and finds decisions and conflicts. Called by the order-validator, and by a failover for those that only the log has.

import type { ConflictReason, RejectionReason } from '../../contracts/events.ts';
import { column } from '../database/column.ts';
import type { Database, Transaction } from '../database/database.ts';

/** A decision as it was stored; for a redelivery its event is made from it again. */
export interface Decision {
  decidedAt: Date;
  /** Empty if unknown: a rejection that was restored from the log. */
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
  /** Position and quantity of each SKU reserved, in turn; absent for a rejected order. */
  taken?: readonly number[];
  /** Milliseconds since 1970. */
  placedAtMs: number;
  acceptedAtMs: number;
}

/** A decision, with what later records of its order are compared with. */
export type KnownDecision = Decision & Pick<DecidedOrder, 'storeId' | 'total' | 'currency' | 'acceptedAtMs'>;

export interface NewConflict {
  orderId: string;
  fingerprint: string;
  storeId: string;
  reasons: ConflictReason[];
  acceptedAtMs: number;
  topic: string;
  partition: number;
  offset: number;
}

/** A conflict as it was first stored; for a redelivery its event is made from it again. */
export interface StoredConflict {
  /** From 1, in the order in which the order's conflicts arrived. */
  n: number;
  seenAt: Date;
  reasons: ConflictReason[];
  acceptedAt: Date;
  /** Whether it is new. */
  isNew: boolean;
}

interface DecisionRow {
  orderId: string;
  decidedAt: Date;
  fingerprint: string;
  reasons: RejectionReason[] | null;
  storeId: string;
  total: number;
  currency: string;
  acceptedAt: Date;
}

/** The decisions already taken on some orders. */
export async function findDecisions(
  sql: Database | Transaction,
  orderIds: readonly string[],
): Promise<Map<string, KnownDecision>> {
  const rows = await sql<DecisionRow[]>`
    select order_id as "orderId", decided_at as "decidedAt", fingerprint, reasons, store_id as "storeId", total, currency,
      accepted_at as "acceptedAt"
    from orders where order_id = any(${orderIds}::uuid[])`;
  return new Map(
    rows.map(({ orderId, reasons, acceptedAt, ...row }) => [
      orderId,
      { ...row, acceptedAtMs: acceptedAt.getTime(), ...(reasons === null ? {} : { reasons }) },
    ]),
  );
}

/**
 * Stores new decisions, all taken at `decidedAt`.
 * @throws a unique violation if one of the orders is decided already
 */
export async function insertDecisions(
  sql: Transaction,
  decidedAt: Date,
  orders: readonly Omit<DecidedOrder, 'decidedAt'>[],
): Promise<void> {
  if (orders.length === 0) return;
  await sql`
    insert into orders (order_id, store_id, decision, reasons, total, currency, pieces, fingerprint, placed_at, accepted_at,
      decided_at, taken)
    select order_id, store_id, case when reasons is null then 'validated' else 'rejected' end, reasons::json, total, currency, pieces,
      fingerprint, to_timestamp(placed_at / 1000), to_timestamp(accepted_at / 1000), ${decidedAt}::timestamptz, taken::integer[]
    from unnest(
      ${column(orders, (order) => order.orderId)}::uuid[],
      ${column(orders, (order) => order.storeId)}::text[],
      ${column(orders, (order) => (order.reasons === undefined ? null : JSON.stringify(order.reasons)))}::text[],
      ${column(orders, (order) => order.total)}::integer[],
      ${column(orders, (order) => order.currency)}::text[],
      ${column(orders, (order) => order.pieces)}::integer[],
      ${column(orders, (order) => order.fingerprint)}::text[],
      ${column(orders, (order) => order.placedAtMs)}::float8[],
      ${column(orders, (order) => order.acceptedAtMs)}::float8[],
      ${column(orders, ({ taken }) => (taken === undefined ? null : `{${taken.join()}}`))}::text[]
    ) as t(order_id, store_id, reasons, total, currency, pieces, fingerprint, placed_at, accepted_at, taken)`;
}

/**
 * Stores contents that arrived under the orderId of another order, each once, all seen at `seenAt`.
 * @returns the conflicts as they were first stored, by orderId
 */
export async function recordConflicts(
  sql: Transaction,
  seenAt: Date,
  conflicts: readonly NewConflict[],
): Promise<Map<string, StoredConflict>> {
  if (conflicts.length === 0) return new Map();
  // A row from before the migration gets the columns that it lacks.
  const rows = await sql<({ orderId: string } & StoredConflict)[]>`
    insert into order_conflicts as known (order_id, fingerprint, store_id, reasons, accepted_at, topic, partition, record_offset, n, seen_at)
    select order_id, fingerprint, store_id, reasons::json, to_timestamp(accepted_at / 1000), topic, partition, record_offset,
      (select coalesce(max(n), 0) + 1 from order_conflicts earlier where earlier.order_id = t.order_id), ${seenAt}::timestamptz
    from unnest(
      ${column(conflicts, (conflict) => conflict.orderId)}::uuid[],
      ${column(conflicts, (conflict) => conflict.fingerprint)}::text[],
      ${column(conflicts, (conflict) => conflict.storeId)}::text[],
      ${column(conflicts, (conflict) => JSON.stringify(conflict.reasons))}::text[],
      ${column(conflicts, (conflict) => conflict.acceptedAtMs)}::float8[],
      ${column(conflicts, (conflict) => conflict.topic)}::text[],
      ${column(conflicts, (conflict) => conflict.partition)}::integer[],
      ${column(conflicts, (conflict) => conflict.offset)}::bigint[]
    ) as t(order_id, fingerprint, store_id, reasons, accepted_at, topic, partition, record_offset)
    on conflict (order_id, fingerprint) do update set store_id = coalesce(known.store_id, excluded.store_id),
      reasons = coalesce(known.reasons, excluded.reasons), accepted_at = coalesce(known.accepted_at, excluded.accepted_at)
    returning order_id as "orderId", n, seen_at as "seenAt", reasons, accepted_at as "acceptedAt", xmax = 0 as "isNew"`;
  return new Map(rows.map(({ orderId, ...conflict }) => [orderId, conflict]));
}

/** A conflict as it is in the log. */
export interface LoggedConflict extends NewConflict {
  n: number;
  seenAt: Date;
}

/** Stores conflicts that are in the log but not in a database that took over. */
export async function restoreConflicts(sql: Transaction, conflicts: readonly LoggedConflict[]): Promise<void> {
  for (const { orderId, fingerprint, storeId, reasons, acceptedAtMs, topic, partition, offset, n, seenAt } of conflicts)
    await sql`
      insert into order_conflicts (order_id, fingerprint, store_id, reasons, accepted_at, topic, partition, record_offset, n, seen_at)
      values (${orderId}, ${fingerprint}, ${storeId}, ${JSON.stringify(reasons)}::text::json, ${new Date(acceptedAtMs)}, ${topic},
        ${partition}, ${offset}, ${n}, ${seenAt})
      on conflict do nothing`;
}
