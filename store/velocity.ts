import type { Database, Transaction } from './database.ts';

/** Orders of one customer or card in one window. */
export interface VelocityCount {
  /** Start of the window, in seconds since the epoch. */
  windowStart: number;
  /** Hash of what is counted, a safe integer. */
  who: number;
  orders: number;
}

/**
 * Adds to the counters and returns their new values by `velocityKey`. Each counter may be named once. The rows are locked
 * until the transaction ends, in one order in every turn, so that concurrent turns count exactly and never deadlock.
 */
export async function addVelocity(sql: Transaction, counts: readonly VelocityCount[]): Promise<Map<string, number>> {
  if (counts.length === 0) return new Map();
  const sorted = counts.toSorted(byKey);
  const rows = await sql<{ windowStart: string; who: string; orders: number }[]>`
    insert into velocity (window_start, who, orders)
    select * from unnest(
      ${sorted.map((count) => count.windowStart)}::bigint[],
      ${sorted.map((count) => count.who)}::bigint[],
      ${sorted.map((count) => count.orders)}::integer[]
    )
    on conflict (window_start, who) do update set orders = velocity.orders + excluded.orders
    returning window_start as "windowStart", who, orders`;
  return new Map(rows.map(({ windowStart, who, orders }) => [`${windowStart}/${who}`, orders]));
}

/** Name of a counter, also its key in what `addVelocity` returns. */
export function velocityKey({ windowStart, who }: Pick<VelocityCount, 'windowStart' | 'who'>): string {
  return `${windowStart}/${who}`;
}

/** Forgets windows that ended long ago. An order that comes even later is counted in a window of its own. */
export async function purgeVelocity(database: Database, beforeSeconds: number): Promise<void> {
  await database`delete from velocity where window_start < ${beforeSeconds}`;
}

function byKey(a: VelocityCount, b: VelocityCount): number {
  return a.windowStart - b.windowStart || a.who - b.who;
}
