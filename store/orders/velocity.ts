// The counters of orders by customer and by card. Called by the order-validator.

import { column } from '../database/column.ts';
import type { Transaction } from '../database/database.ts';

/** The count of one customer's or card's orders in one window. */
export interface VelocityCount {
  /** Start of the window, in seconds since 1970. */
  windowStart: number;
  /** Hash of the customer or card, a safe integer. */
  who: number;
  orders: number;
}

/**
 * Adds to the counters and returns the new values of those that are above `limit`, by `velocityKey`: nearly all are below, and reading them
 * would cost more than counting. No counter may occur twice. The rows are locked until the transaction ends, in the same order in every
 * turn, so that concurrent turns count exactly and never deadlock.
 */
export async function addVelocity(
  sql: Transaction,
  counts: readonly VelocityCount[],
  limit: number,
): Promise<Map<string, number>> {
  if (counts.length === 0) return new Map();
  const sorted = counts.toSorted(byKey);
  const rows = await sql<{ windowStart: string; who: string; orders: number }[]>`
    with counted as (
      insert into velocity (window_start, who, orders)
      select * from unnest(
        ${column(sorted, (count) => count.windowStart)}::bigint[],
        ${column(sorted, (count) => count.who)}::bigint[],
        ${column(sorted, (count) => count.orders)}::integer[]
      )
      on conflict (window_start, who) do update set orders = velocity.orders + excluded.orders, counted_at = excluded.counted_at
      returning window_start, who, orders
    )
    select window_start as "windowStart", who, orders from counted where orders > ${limit}`;
  return new Map(rows.map(({ windowStart, who, orders }) => [`${windowStart}/${who}`, orders]));
}

/** Name of a counter; its key in the result of `addVelocity`. */
export function velocityKey({ windowStart, who }: Pick<VelocityCount, 'windowStart' | 'who'>): string {
  return `${windowStart}/${who}`;
}

/** Removes counters that have not been used for a while, at most `rowsMax` at once. */
export async function purgeVelocity(sql: Transaction, unusedSeconds: number, rowsMax: number): Promise<void> {
  await sql`
    delete from velocity where ctid = any(array(
      select ctid from velocity where counted_at < now() - make_interval(secs => ${unusedSeconds})
      limit ${rowsMax} for update skip locked))`;
}

function byKey(a: VelocityCount, b: VelocityCount): number {
  return a.windowStart - b.windowStart || a.who - b.who;
}
