import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { connectDatabase, type Database } from './database.ts';

const directory = new URL('./migrations/', import.meta.url);

/** Any number: the advisory lock that lets one of several starting processes migrate. */
const MIGRATION_LOCK = 7_236_451;
const UNLOCK_MS_MAX = 2_000;
/** The driver counts in seconds here. */
const END_SECONDS_MAX = 2;

/** For the end of a wait, and for an unlock on a broken connection: its session is over, and the lock with it. */
const noop = () => {};

/**
 * Brings the schema up to date: runs each `store/migrations/<number>-<name>.sql` once, in order of its name, each in a transaction of
 * its own. Safe to call from every process at start.
 */
export async function migrate(database: Database): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  await using connection = await reserve(database);
  const sql = connection.sql;
  await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
  try {
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`;
    const applied = new Set((await sql<{ name: string }[]>`select name from migrations`).map(({ name }) => name));
    for (const name of names) {
      if (applied.has(name)) continue;
      const statements = await readFile(new URL(name, directory), 'utf8');
      const literal = name.replaceAll("'", "''");
      await sql
        .unsafe(`begin;\n${statements}\n;insert into migrations (name) values ('${literal}');\ncommit;`)
        .simple();
    }
  } finally {
    // Bounded: on a connection that has broken meanwhile the driver sends nothing and waits for ever. Its session is over then, and the lock with it.
    const unlocked = sql`select pg_advisory_unlock(${MIGRATION_LOCK})`.then(noop, noop);
    const stop = new AbortController();
    await Promise.race([unlocked, delay(UNLOCK_MS_MAX, undefined, { signal: stop.signal }).catch(noop)]);
    stop.abort();
  }
}

/** The lock belongs to a session, so one connection is kept for all of it. */
async function reserve(database: Database) {
  const sql = await database.reserve();
  return { sql, [Symbol.asyncDispose]: async () => sql.release() };
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
