// Copies what can be read of a damaged spool. Used by salvage.ts.

import { statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { isDiskFull, isRefusedRow } from './sqlite-errors.ts';

const COLUMNS = 'sequence, order_id, store_id, lane, content, accepted_at, state, problem, value';
const STRIDE = 200;

export interface CopiedOrders {
  orders: number;
  /** Places of the file that could not be read: at most this many orders are missing. `undefined` when even their number cannot be read. */
  unreadable: number | undefined;
}

/** A damaged spool, and what can still be read of it. Each method copies or returns the readable part, and says when there is an unreadable part. */
export class DamagedFile implements Disposable {
  /** `undefined` when the file cannot be opened at all. */
  readonly #database: DatabaseSync | undefined;

  constructor(path: string) {
    this.#database = readable(() => openNonEmpty(path));
  }

  [Symbol.dispose](): void {
    try {
      this.#database?.close();
    } catch {
      // Everything readable has been copied, and the file is kept.
    }
  }

  /** @throws when the new file has no room: that is not damage, so it ends the salvage */
  copyOrders(to: DatabaseSync): CopiedOrders {
    const damaged = this.#database;
    const last = damaged === undefined ? undefined : lastSequence(damaged);
    if (damaged === undefined || last === undefined || last === 0) return { orders: 0, unreadable: last };
    const range = readable(() => damaged.prepare(`select ${COLUMNS} from orders where sequence > ? and sequence <= ?`));
    const single = readable(() => damaged.prepare(`select ${COLUMNS} from orders where sequence = ?`));
    if (range === undefined || single === undefined) return { orders: 0, unreadable: last };
    const insert = to.prepare(`insert into orders (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    let orders = 0;
    let unreadable = 0;
    to.exec('begin');
    for (let after = 0; after < last; after += STRIDE) {
      let rows = readable(() => range.all(after, after + STRIDE));
      if (rows === undefined) {
        // One of these rows is on a damaged page; the rows on other pages are found one by one.
        rows = [];
        for (let sequence = after + 1; sequence <= after + STRIDE; sequence++) {
          const found = readable(() => single.all(sequence));
          if (found === undefined) unreadable++;
          else rows.push(...found);
        }
      }
      for (const row of rows) {
        if (isTaken(() => insert.run(...(Object.values(row) as SQLInputValue[])))) orders++;
        else unreadable++;
      }
    }
    to.exec('commit');
    return { orders, unreadable };
  }

  /**
   * Copies the board of the store's kitchen.
   * @returns whether all of the board was copied
   * @throws when the new file has no room
   */
  copyTickets(to: DatabaseSync): boolean {
    const insert = to.prepare('insert or ignore into kitchen values (?, ?)');
    try {
      const tickets = this.#database?.prepare('select order_id, entry from kitchen').iterate();
      for (const { order_id, entry } of tickets ?? []) insert.run(String(order_id), String(entry));
      return tickets !== undefined;
    } catch (error) {
      if (isDiskFull(error)) throw error;
      return false;
    }
  }

  /** The report of an earlier salvage; `undefined` when there was none, or when it cannot be read: the file of that salvage is kept too. */
  earlierDamage(): { report: string; lossOpen: boolean } | undefined {
    return readable(() => {
      const fact = this.#database?.prepare('select value from facts where name = ?');
      const report = fact?.get('damage')?.value;
      if (report === undefined) return undefined;
      return { report: String(report), lossOpen: fact?.get('loss_open') !== undefined };
    });
  }
}

/** SQLite would take an empty file for a new database and delete its log, which may hold orders. */
function openNonEmpty(path: string): DatabaseSync | undefined {
  return statSync(path).size === 0 ? undefined : new DatabaseSync(path);
}

/** False when a field of the row has a value that its column does not take, as after damage. */
function isTaken(insert: () => unknown): boolean {
  try {
    insert();
    return true;
  } catch (error) {
    if (!isRefusedRow(error)) throw error;
    return false;
  }
}

/** The highest sequence that an order has had; `undefined` when it cannot be read. */
function lastSequence(damaged: DatabaseSync): number | undefined {
  const known = [
    'select max(sequence) as last from orders',
    "select seq as last from sqlite_sequence where name = 'orders'",
  ].flatMap((sql) => readable(() => Number(damaged.prepare(sql).get()?.last) || 0) ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // Damage. The caller counts it, and the report of the salvage has the number.
    return undefined;
  }
}
