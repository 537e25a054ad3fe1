// Runs the migrations in store/migrations. Roles and commands with a database call it first.

import { readdir, readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { withDeadline } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import type { DatabaseServer } from './connection/database-server.ts';
import { connectDatabase, type Database } from './database.ts';

const directory = new URL('../migrations/', import.meta.url);

/** The number of the advisory lock (any number): of several processes that start, only one migrates. */
const MIGRATION_LOCK = 7_236_451;
/** The driver counts in seconds here. */
const END_SECONDS_MAX = 2;

/** How long one attempt waits for a lock. Statements that queue behind the migration wait as long; between two attempts they can run. */
const LOCK_MS_MAX = 5_000;
const GIVE_UP_AFTER_MS = 60_000;
const PROBE_MS_MAX = 30_000;
const SAY_AFTER_MS = 10_000;

const LOCK_NOT_AVAILABLE = '55P03';

export interface MigrationOptions {
  /** Called with what the migration waits for: a lock and the sessions that may hold it, or a server that does not answer. */
  onWait?(line: string): void;
  /** How long one attempt waits for a lock. */
  lockMsMax?: number;
  /** If others hold a lock for longer than this, the migration fails. */
  giveUpAfterMs?: number;
}

/**
 * Brings the schema up to date: runs each `store/migrations/<number>-<name>.sql` once, in the order of the names, each in its own
 * transaction. Every process may call it at start. The lock belongs to the transaction, so it works through a pooler that pools
 * transactions, and ends with a broken connection.
 * @throws when the database does not answer, is not encoded as UTF-8, or others hold a lock for too long
 */
export async function migrate(database: Database, options: MigrationOptions = {}): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  // A standby refuses `create table`, even if the table exists.
  if (!(await probe(database)).hasMigrations)
    await locked(
      database,
      'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
      'the table of migrations',
      options,
    );
  const applied = new Set((await database<{ name: string }[]>`select name from migrations`).map(({ name }) => name));
  for (const name of names) if (!applied.has(name)) await apply(database, name, options);
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

async function apply(database: Database, name: string, options: MigrationOptions): Promise<void> {
  const note = `insert into migrations (name) values ('${name.replaceAll("'", "''")}')`;
  try {
    const text = await readFile(new URL(name, directory), 'utf8');
    await locked(database, `${note};\n${text}`, `migration ${name}`, options);
  } catch (error) {
    // Another process was faster: it has recorded this migration, and this attempt is rolled back.
    if (!(error instanceof postgres.PostgresError && error.constraint_name === 'migrations_pkey')) throw error;
  }
}

/**
 * Several statements in one simple query are one transaction (PostgreSQL manual, "Multiple Statements in a Simple Query"). If another
 * session holds a lock, the statements are tried again until `giveUpAfterMs`. The error then names the sessions that may hold the lock.
 */
async function locked(
  database: Database,
  statements: string,
  subject: string,
  { onWait = () => {}, lockMsMax = LOCK_MS_MAX, giveUpAfterMs = GIVE_UP_AFTER_MS }: MigrationOptions,
): Promise<void> {
  const text = `set local lock_timeout = ${lockMsMax};\nselect pg_advisory_xact_lock(${MIGRATION_LOCK});\n${statements}`;
  const startedAt = performance.now();
  const silent = setTimeout(
    () => onWait(`${subject} has had no answer of the database for ${SAY_AFTER_MS / 1_000} s`),
    SAY_AFTER_MS,
  );
  let isSaid = false;
  try {
    for (;;) {
      try {
        await database.unsafe(text).simple();
        return;
      } catch (error) {
        if (!(error instanceof postgres.PostgresError && error.code === LOCK_NOT_AVAILABLE)) throw error;
        clearTimeout(silent);
        const line = `${subject} waits for a lock; ${await lockHolders(database)}`;
        if (!isSaid) onWait(line);
        isSaid = true;
        if (performance.now() - startedAt >= giveUpAfterMs) throw new Error(line, { cause: error });
      }
    }
  } finally {
    clearTimeout(silent);
  }
}

/** Names the sessions that may hold a lock: sessions with the advisory lock and sessions with an open transaction. */
async function lockHolders(database: Database): Promise<string> {
  const holders = await database<{ pid: number; application: string; state: string | null; seconds: number }[]>`
    select pid, application_name as application, state,
      extract(epoch from now() - coalesce(xact_start, state_change))::int as seconds
    from pg_stat_activity
    where pid <> pg_backend_pid() and datname = current_database() and (
      xact_start is not null
      or pid in (select pid from pg_locks where locktype = 'advisory' and granted and objid = ${MIGRATION_LOCK}))
    order by coalesce(xact_start, state_change) limit 5`;
  if (holders.length === 0) return 'no session holds it any more';
  const named = holders.map(
    ({ pid, application, state, seconds }) =>
      `process ${pid} of PostgreSQL (${application === '' ? 'no application name' : application}, ${state ?? 'state unknown'}, for ${seconds} s)`,
  );
  return `it may be held by ${named.join(', ')}`;
}

/** Brings the schema of a database up to date, on a connection of its own. */
export async function migrateAt(
  server: DatabaseServer,
  application: string,
  options: MigrationOptions = {},
): Promise<void> {
  const database = connectDatabase({ server, connections: 1, application: `${application}-migrations` });
  try {
    await migrate(database, options);
  } finally {
    await database.end({ timeout: END_SECONDS_MAX });
  }
}
