// The migrations of this release, and what a database says about its own. Used by migrate.ts and by roles that start.

import { readdir, readFile } from 'node:fs/promises';
import { withDeadline } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import type { Database } from '../database/database.ts';

const directory = new URL('../migrations/', import.meta.url);
const PROBE_MS_MAX = 30_000;

/** Ends the name of a migration that takes something away: the previous release cannot work with the database after it. */
const CONTRACT = '.contract.sql';

/** The state of a database's schema, seen from this release. Names are those of files in store/migrations. */
export interface SchemaState {
  /** Whether anything was ever applied. */
  isEmpty: boolean;
  /** The newest migration of the database, if any. */
  newest: string | undefined;
  /** What this release needs and the database lacks, in order. */
  pending: string[];
  /** What this release may take away once no role of the previous release runs. */
  pendingContracts: string[];
  /** What a newer release has taken away. This release cannot work with the database any more. */
  foreignContracts: string[];
}

/** @returns the names of all migrations of this release, in order */
export async function releaseMigrations(): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
}

export function isContract(name: string): boolean {
  return name.endsWith(CONTRACT);
}

export function migrationText(name: string): Promise<string> {
  return readFile(new URL(name, directory), 'utf8');
}

/** @throws when the database does not answer, or is not encoded as UTF-8 */
export async function schemaState(database: Database): Promise<SchemaState> {
  const applied = new Set(await appliedMigrations(database));
  const names = await releaseMigrations();
  const known = new Set(names);
  const missing = names.filter((name) => !applied.has(name));
  const isEmpty = applied.size === 0;
  return {
    isEmpty,
    newest: [...applied].sort().at(-1),
    // No role works with an empty database, so nothing in it has to be kept.
    pending: missing.filter((name) => isEmpty || !isContract(name)),
    pendingContracts: missing.filter((name) => !isEmpty && isContract(name)),
    foreignContracts: [...applied].filter((name) => isContract(name) && !known.has(name)).sort(),
  };
}

async function appliedMigrations(database: Database): Promise<string[]> {
  const { hasMigrations } = await probe(database);
  if (!hasMigrations) return [];
  return (await database<{ name: string }[]>`select name from migrations`).map(({ name }) => name);
}

async function probe(database: Database): Promise<{ hasMigrations: boolean }> {
  const answer = database<{ hasMigrations: boolean; encoding: string }[]>`
    select to_regclass('migrations') is not null as "hasMigrations", current_setting('server_encoding') as encoding`;
  const late = () => new Error(`the database has not answered within ${PROBE_MS_MAX / 1_000} s`);
  const [row] = await withDeadline(systemTimers, PROBE_MS_MAX, answer, late);
  const { hasMigrations = false, encoding = 'unknown' } = row ?? {};
  if (encoding !== 'UTF8')
    throw new Error(`the encoding of the database is ${encoding}; orders hold text of any script: create it with UTF8`);
  return { hasMigrations };
}

/** For people: why a role of this release cannot work with the database; `undefined` when it can. */
export function schemaProblem({ newest, pending, foreignContracts }: SchemaState): string | undefined {
  const [contract] = foreignContracts;
  if (contract !== undefined)
    return `a newer release has taken something away from the database (${contract}), and this release cannot work without it: run the newer release`;
  const needed = pending.at(-1);
  if (needed === undefined) return undefined;
  const at = newest === undefined ? 'has no tables' : `is at version ${versionOf(newest)}`;
  return `the database ${at}, this release needs ${versionOf(needed)}: run \`ordermesh migrate\``;
}

/** The number at the beginning of a migration's name: 21 of 0021-loyalty-refused.sql. */
export function versionOf(name: string): number {
  return Number.parseInt(name, 10);
}
