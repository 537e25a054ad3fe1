import { readdir, readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { connectDatabase, type Database } from './database.ts';

const directory = new URL('./migrations/', import.meta.url);

/** Any number: the advisory lock that lets one of several starting processes migrate. */
const MIGRATION_LOCK = 7_236_451;
/** The driver counts in seconds here. */
const END_SECONDS_MAX = 2;

/**
 * Brings the schema up to date: runs each `store/migrations/<number>-<name>.sql` once, in order of its name, each in a transaction of
 * its own. Safe to call from every process at start. The lock belongs to the transaction, so it works through a pooler that pools transactions, and
 * ends with a connection that breaks.
 */
export async function migrate(database: Database): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const table =
    'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())';
  await locked(database, table);
  const applied = new Set((await database<{ name: string }[]>`select name from migrations`).map(({ name }) => name));
  for (const name of names) if (!applied.has(name)) await apply(database, name);
}

async function apply(database: Database, name: string): Promise<void> {
  const note = `insert into migrations (name) values ('${name.replaceAll("'", "''")}')`;
  try {
    await locked(database, `${note};\n${await readFile(new URL(name, directory), 'utf8')}`);
  } catch (error) {
    // Another process was faster: the name stands there already, and nothing of this attempt does.
    if (!(error instanceof postgres.PostgresError && error.constraint_name === 'migrations_pkey')) throw error;
  }
}

/** Several statements in one simple query are one transaction (PostgreSQL manual, "Multiple Statements in a Simple Query"). */
async function locked(database: Database, statements: string): Promise<void> {
  await database.unsafe(`select pg_advisory_xact_lock(${MIGRATION_LOCK});\n${statements}`).simple();
}

/** Brings the schema of the database at `url` up to date, on a connection that is closed afterwards. */
export async function migrateAt(url: string, application: string): Promise<void> {
  const database = connectDatabase({ url, connections: 1, application: `${application}-migrations` });
  try {
    await migrate(database);
  } finally {
    await database.end({ timeout: END_SECONDS_MAX });
  }
}
