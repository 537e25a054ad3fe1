// The tables of the spool, and how its file is opened. Used by spool.ts, visit.ts and salvage.ts.

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EmptyFileError } from './sqlite-errors.ts';

const SCHEMA_VERSION = 1;

/**
 * `sequence` is the order of acceptance and is never used twice. `settled_at` is in milliseconds of running time (`Spool` says why).
 * The indexes are partial: an order costs an entry in one of them at a time.
 */
const schema = `
  create table orders (
    sequence integer primary key autoincrement,
    order_id text not null unique,
    store_id text not null,
    lane integer not null,
    content text not null,
    accepted_at integer not null,
    state integer not null default 0,
    region integer not null default 0,
    settled_at integer not null default 0,
    problem text,
    value blob not null
  ) strict;
  create index orders_unsent on orders (lane, sequence) where state = 0;
  create index orders_confirmed on orders (region, sequence) where state = 1;
  create index orders_refused on orders (sequence) where state = 2;
  create table regions (id integer primary key, name text not null unique) strict;
  create table facts (name text primary key, value any) strict, without rowid;
  create table kitchen (order_id text primary key, entry text not null) strict, without rowid;
  pragma user_version = ${SCHEMA_VERSION};
`;

/**
 * Opens the file of the spool, made when it is missing. WAL with synchronous=FULL: a transaction that has been committed was fsynced
 * (https://www.sqlite.org/pragma.html#pragma_synchronous); a write that was cut in the middle is found by its checksum and is no part of it.
 * @throws Error for a file of a newer version, which stays as it is; EmptyFileError for an empty file, which has lost its content.
 */
export function openSpoolFile(path: string): DatabaseSync {
  if (!existsSync(path)) makeFile(path);
  // SQLite would take an empty file for a new database and delete its log.
  if (statSync(path).size === 0) throw new EmptyFileError(`${path} is empty`);
  const database = new DatabaseSync(path);
  try {
    const version = versionOf(database);
    if (version > SCHEMA_VERSION)
      throw new Error(
        `${path} was written by a newer version of Ordermesh (schema ${version}, this is ${SCHEMA_VERSION})`,
      );
    database.exec(`
      pragma busy_timeout = 5000;
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma journal_size_limit = 67108864;
    `);
    if (version === 0) database.exec(`begin exclusive; ${schema} commit`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Writes the file under another name and renames the complete file, so that an empty file is never the trace of an interrupted first start. Orders carry
 * payment tokens, so only the agent's user can read the file; SQLite gives its other files the same mode. The name is on the disk before the first order.
 */
function makeFile(path: string): void {
  const file = `${path}.new`;
  removeFile(file);
  closeSync(openSync(file, 'wx', 0o600));
  const database = new DatabaseSync(file);
  try {
    database.exec(`pragma synchronous = full; begin exclusive; ${schema} commit`);
  } finally {
    database.close();
  }
  renameSync(file, path);
  syncDirectory(path);
}

/** Removes a database with the files that SQLite keeps beside it. */
export function removeFile(path: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}

/** Makes the new names of files in this directory survive a power failure. */
export function syncDirectory(path: string): void {
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
}

/** Opens an existing spool beside the agent that uses it. @throws Error when there is none. */
export function openExistingSpool(path: string, access: 'read' | 'write'): DatabaseSync {
  if (!existsSync(path)) throw new Error(`there is no spool at ${path}`);
  const database = new DatabaseSync(path, { readOnly: access === 'read' });
  database.exec('pragma busy_timeout = 5000; pragma synchronous = full');
  if (versionOf(database) === SCHEMA_VERSION) return database;
  database.close();
  throw new Error(`${path} is not a spool of this version of Ordermesh`);
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('pragma user_version').get()?.user_version);
}
