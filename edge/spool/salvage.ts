import { existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { openSpoolFile, removeFile, syncDirectory } from './schema.ts';
import { isDiskFull, isRefusedRow } from './sqlite-errors.ts';

/** What came out of a damaged spool. */
export interface Salvage {
  /** Where the damaged file is kept. */
  keptAs: string;
  orders: number;
  /** Places of the file that could not be read: at most so many orders are missing. `undefined` when not even their number can be read. */
  unreadable: number | undefined;
  /** The same in words. */
  report: string;
}

const COLUMNS = 'sequence, order_id, store_id, lane, content, accepted_at, state, problem, value';
const STRIDE = 200;

/**
 * Brings every order of a damaged spool that can still be read into a new file at its place and puts the damaged one aside. The restaurant goes on
 * selling; the damaged file is never deleted. Confirmed orders come back as those of no region, so they are sent again, which is harmless.
 *
 * The damaged file keeps its name until the new one is whole: a salvage that fails, as on a full disk, leaves everything as it was.
 */
export function salvageSpool(path: string, stamp: string): Salvage {
  const keptAs = `${path}.damaged-${stamp}`;
  const file = salvageOf(path);
  removeFile(file);
  let salvage: Salvage;
  try {
    salvage = copyTo(file, path, keptAs, stamp);
  } catch (error) {
    removeFile(file);
    throw error;
  }
  replace(path, keptAs);
  return salvage;
}

/** An earlier process may have ended after it had put the damaged file aside and before the whole new one had its name. */
export function finishSalvage(path: string, stamp: string): void {
  if (!existsSync(path) && existsSync(salvageOf(path))) replace(path, `${path}.damaged-${stamp}`);
}

function salvageOf(path: string): string {
  return `${path}.salvage`;
}

/** The file before its log: `finishSalvage` goes by the file. */
function replace(path: string, keptAs: string): void {
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, keptAs + suffix);
  renameSync(salvageOf(path), path);
  syncDirectory(path);
}

function copyTo(file: string, path: string, keptAs: string, stamp: string): Salvage {
  const fresh = openSpoolFile(file);
  try {
    const { orders, unreadable } = copyOrders(path, fresh);
    copyTickets(path, fresh);
    const before = damageOf(path);
    const missing =
      unreadable === undefined
        ? 'it is not known how many orders were in it'
        : `${orders} orders were saved, at most ${unreadable} were not`;
    const report = `${missing}; the damaged file is kept as ${keptAs}`;
    const setFact = fresh.prepare('insert or replace into facts values (?, ?)');
    setFact.run('damage', [`${stamp}: ${report}`, ...(before === undefined ? [] : [before.damage])].join('; before: '));
    if (unreadable !== 0 || before?.lossOpen) setFact.run('loss_open', 1);
    return { keptAs, orders, unreadable, report };
  } finally {
    fresh.close();
  }
}

/** What an earlier salvage had to say. */
function damageOf(path: string): { damage: string; lossOpen: boolean } | undefined {
  let damaged: DatabaseSync | undefined;
  try {
    damaged = openDamaged(path);
    const fact = damaged?.prepare('select value from facts where name = ?');
    const damage = fact?.get('damage')?.value;
    return damage === undefined
      ? undefined
      : { damage: String(damage), lossOpen: fact?.get('loss_open') !== undefined };
  } catch {
    // The file that cannot say so is kept, as the earlier one was.
    return undefined;
  } finally {
    closeQuietly(damaged);
  }
}

/** SQLite would take an empty file for a new database and delete its log, which may hold orders. */
function openDamaged(path: string): DatabaseSync | undefined {
  return statSync(path).size === 0 ? undefined : new DatabaseSync(path);
}

function copyOrders(from: string, to: DatabaseSync): { orders: number; unreadable: number | undefined } {
  let damaged: DatabaseSync | undefined;
  try {
    damaged = readable(() => openDamaged(from));
    const last = damaged === undefined ? undefined : lastSequence(damaged);
    return damaged === undefined || last === undefined || last === 0
      ? { orders: 0, unreadable: last }
      : copyUpTo(last, damaged, to);
  } finally {
    closeQuietly(damaged);
  }
}

function copyUpTo(last: number, damaged: DatabaseSync, to: DatabaseSync): { orders: number; unreadable: number } {
  const insert = to.prepare(`insert or ignore into orders (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  let orders = 0;
  let unreadable = 0;
  // What the new file cannot take for lack of room is not damage, so it ends the salvage.
  const keep = (row: Record<string, unknown>) => {
    try {
      orders += Number(insert.run(...(Object.values(row) as SQLInputValue[])).changes);
    } catch (error) {
      if (!isRefusedRow(error)) throw error;
      unreadable += 1;
    }
  };
  const range = readable(() => damaged.prepare(`select ${COLUMNS} from orders where sequence > ? and sequence <= ?`));
  const one = readable(() => damaged.prepare(`select ${COLUMNS} from orders where sequence = ?`));
  if (range === undefined || one === undefined) return { orders: 0, unreadable: last };
  to.exec('begin');
  for (let after = 0; after < last; after += STRIDE) {
    let rows = readable(() => range.all(after, after + STRIDE));
    if (rows === undefined) {
      // Somewhere among these is a damaged page: what stands on others is found one by one.
      rows = [];
      for (let sequence = after + 1; sequence <= after + STRIDE; sequence += 1) {
        const found = readable(() => one.all(sequence));
        if (found === undefined) unreadable += 1;
        else rows.push(...found);
      }
    }
    for (const row of rows) keep(row);
  }
  to.exec('commit');
  return { orders, unreadable };
}

/** The store's own board, where it can be read: what the crew has done and the region does not know. */
function copyTickets(from: string, to: DatabaseSync): void {
  const insert = to.prepare('insert or ignore into kitchen values (?, ?)');
  let damaged: DatabaseSync | undefined;
  try {
    damaged = openDamaged(from);
    for (const { order_id, entry } of damaged?.prepare('select order_id, entry from kitchen').iterate() ?? [])
      insert.run(String(order_id), String(entry));
  } catch (error) {
    // The region's snapshot brings back what cannot be read. A disk without room for the copy is no damage.
    if (isDiskFull(error)) throw error;
  } finally {
    closeQuietly(damaged);
  }
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // Counted by the caller; the report of the salvage says how many.
    return undefined;
  }
}

/** The highest number that an order has had; `undefined` when it cannot be read. */
function lastSequence(damaged: DatabaseSync): number | undefined {
  let last: number | undefined;
  for (const sql of [
    'select max(sequence) as last from orders',
    "select seq as last from sqlite_sequence where name = 'orders'",
  ]) {
    try {
      last = Math.max(last ?? 0, Number(damaged.prepare(sql).get()?.last) || 0);
    } catch {
      // The other way may still be readable.
    }
  }
  return last;
}

function closeQuietly(database: DatabaseSync | undefined): void {
  try {
    database?.close();
  } catch {
    // The salvage has what it could read.
  }
}
