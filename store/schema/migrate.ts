// Runs the migrations in store/migrations and grants the rights of the roles. Called by `ordermesh migrate`, and by roles that own the tables.

import postgres from 'postgres';
import type { DatabaseServer } from '../database/connection/database-server.ts';
import { connectDatabase, type Database } from '../database/database.ts';
import { applyGrants } from './apply-grants.ts';
import { isContract, migrationText, schemaState, versionOf } from './migrations.ts';
import { owningRole } from './owning-role.ts';

/** The number of the advisory lock (any number): of several processes that start, only one migrates. */
const MIGRATION_LOCK = 7_236_451;
/** The driver counts in seconds here. */
const END_SECONDS_MAX = 2;

/** How long one attempt waits for a lock. Statements that queue behind the migration wait as long; between two attempts they can run. */
const LOCK_MS_MAX = 5_000;
const GIVE_UP_AFTER_MS = 60_000;
const SAY_AFTER_MS = 10_000;

const LOCK_NOT_AVAILABLE = '55P03';

export interface MigrationOptions {
  /** Called with what the migration waits for: a lock and the sessions that may hold it, or a server that does not answer. */
  onWait?(line: string): void;
  /** How long one attempt waits for a lock. */
  lockMsMax?: number;
  /** If others hold a lock for longer than this, the migration fails. */
  giveUpAfterMs?: number;
  /** Also take away what the previous release needs. For `ordermesh migrate --contract` alone. */
  contract?: boolean;
  /** Only say what would be done. */
  dryRun?: boolean;
}

export interface Migrated {
  /** Version of the database afterwards; of a dry run, before. */
  version: number;
  /** Migrations that were applied; of a dry run, that would be. */
  applied: string[];
  /** What `--contract` would take away. */
  contracts: string[];
  /** Privileges that were granted or revoked, as statements; of a dry run, those that can be seen before the migrations. */
  grants: string[];
}

/**
 * Brings the schema up to date: runs each `store/migrations/<number>-<name>.sql` once, in the order of the names, each in its own
 * transaction, and then gives every role its rights. A migration that ends in `.contract.sql` is run only if asked for, or in an empty
 * database. The lock belongs to the transaction, so it works through a pooler that pools transactions, and ends with a broken connection.
 * @throws when the database does not answer, is not encoded as UTF-8, or others hold a lock for too long
 */
export async function migrate(database: Database, options: MigrationOptions = {}): Promise<Migrated> {
  const { dryRun = false, contract = false } = options;
  const state = await schemaState(database);
  const due = [...state.pending, ...(contract ? state.pendingContracts : [])].sort();
  const contracts = contract ? [] : state.pendingContracts;
  const owner = await owningRole(database);
  if (!dryRun && due.length > 0) {
    // A standby refuses `create table`, even if the table exists.
    if (state.isEmpty) await locked(database, asOwner(owner, createMigrations), 'the table of migrations', options);
    for (const name of due) await apply(database, owner, name, options);
  }
  const grants = await applyGrants(database, { owner, dryRun });
  const newest = [state.newest, ...(dryRun ? [] : due)]
    .filter((name) => name !== undefined)
    .sort()
    .at(-1);
  return { version: newest === undefined ? 0 : versionOf(newest), applied: due, contracts, grants };
}

const createMigrations =
  'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())';

/** Tables belong to the group role, so that every login of the owner may change them later. */
function asOwner(owner: string | undefined, statements: string): string {
  return owner === undefined ? statements : `set local role ${owner};\n${statements}`;
}

async function apply(
  database: Database,
  owner: string | undefined,
  name: string,
  options: MigrationOptions,
): Promise<void> {
  const note = `insert into migrations (name) values ('${name.replaceAll("'", "''")}')`;
  try {
    const text = await migrationText(name);
    const subject = `migration ${name}${isContract(name) ? ' (takes something away)' : ''}`;
    await locked(database, asOwner(owner, `${note};\n${text}`), subject, options);
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
): Promise<Migrated> {
  const database = connectDatabase({ server, connections: 1, application: `${application}-migrations` });
  try {
    return await migrate(database, options);
  } finally {
    await database.end({ timeout: END_SECONDS_MAX });
  }
}
