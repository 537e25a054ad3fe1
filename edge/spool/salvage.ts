import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { openSpoolFile } from './schema.ts';

/** What came out of a damaged spool. */
export interface Salvage {
  /** Where the damaged file is kept. */
  keptAs: string;
  orders: number;
  /** Places of the file that could not be read: at most so many orders are missing. */
  unreadable: number;
}

const COLUMNS = 'sequence, order_id, store_id, lane, content, accepted_at, state, problem, value';
const STRIDE = 200;

/**
 * Puts a damaged spool aside and brings every order that can still be read into a new one at its place. The restaurant goes on selling; the
 * damaged file is never deleted. Confirmed orders come back as those of no region, so they are sent again, which is harmless.
 */
export function salvageSpool(path: string, stamp: string): Salvage {
  const keptAs = `${path}.damaged-${stamp}`;
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, keptAs + suffix);
  const fresh = openSpoolFile(path);
  try {
    const { orders, unreadable } = copyOrders(keptAs, fresh);
    copyTickets(keptAs, fresh);
    const damage = `${stamp}: ${orders} orders were saved, at most ${unreadable} were not; the damaged file is ${keptAs}`;
    fresh.prepare("insert or replace into facts values ('damage', ?)").run(damage);
    return { keptAs, orders, unreadable };
  } finally {
    fresh.close();
  }
}

function copyOrders(from: string, to: DatabaseSync): { orders: number; unreadable: number } {
  let damaged: DatabaseSync | undefined;
  let last: number;
  try {
    damaged = new DatabaseSync(from);
    last = lastSequence(damaged);
  } catch {
    // Nothing of it can be read: the report says that 0 orders were saved, and the damaged file is kept.
    last = 0;
  }
  if (damaged === undefined || last === 0) return { orders: 0, unreadable: 0 };
  const insert = to.prepare(`insert or ignore into orders (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  let orders = 0;
  let unreadable = 0;
  const keep = (row: Record<string, unknown>) => {
    orders += Number(insert.run(...(Object.values(row) as SQLInputValue[])).changes);
  };
  const range = damaged.prepare(`select ${COLUMNS} from orders where sequence > ? and sequence <= ?`);
  const one = damaged.prepare(`select ${COLUMNS} from orders where sequence = ?`);
  to.exec('begin');
  for (let after = 0; after < last; after += STRIDE) {
    try {
      for (const row of range.all(after, after + STRIDE)) keep(row);
    } catch {
      // Somewhere among these is a damaged page: what stands on others is found one by one.
      for (let sequence = after + 1; sequence <= after + STRIDE; sequence += 1) {
        try {
          const row = one.get(sequence);
          if (row !== undefined) keep(row);
        } catch {
          // Counted; the report of the salvage says how many.
          unreadable += 1;
        }
      }
    }
  }
  to.exec('commit');
  closeQuietly(damaged);
  return { orders, unreadable };
}

/** The store's own board, where it can be read: what the crew has done and the region does not know. */
function copyTickets(from: string, to: DatabaseSync): void {
  const insert = to.prepare('insert or ignore into kitchen values (?, ?)');
  let damaged: DatabaseSync | undefined;
  try {
    damaged = new DatabaseSync(from);
    for (const { order_id, entry } of damaged.prepare('select order_id, entry from kitchen').iterate())
      insert.run(String(order_id), String(entry));
  } catch {
    // The region's snapshot brings back what it knows.
  }
  if (damaged !== undefined) closeQuietly(damaged);
}

function lastSequence(damaged: DatabaseSync): number {
  for (const sql of [
    "select seq as last from sqlite_sequence where name = 'orders'",
    'select max(sequence) as last from orders',
  ]) {
    try {
      const last = Number(damaged.prepare(sql).get()?.last);
      if (last > 0) return last;
    } catch {
      // The other way may still be readable.
    }
  }
  return 0;
}

function closeQuietly(database: DatabaseSync): void {
  try {
    database.close();
  } catch {
    // Its file is put aside; nothing more is to be done with it.
  }
}
