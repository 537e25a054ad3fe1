import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrateAt } from '../../store/schema/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { startToggledProxy, type ToggledProxy } from '../support/toggled-proxy.ts';

const MIGRATION_LOCK = 7_236_451;

let database: TestDatabase;
let proxy: ToggledProxy;

beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await startToggledProxy(database.url);
});

afterEach(async () => {
  await proxy.close();
  await database[Symbol.asyncDispose]();
});

test('fails when its connection breaks, instead of waiting for an answer that cannot come', async () => {
  await database.sql`drop table migrations`;
  const other = await database.sql.reserve();
  await other`select pg_advisory_lock(${MIGRATION_LOCK})`;
  const url = new URL(database.urlAs('administrator'));
  url.host = proxy.address;
  const migrating = migrateAt(url.href, 'test').then(
    () => 'migrated',
    (error: Error) => error.message,
  );
  await expect
    .poll(async () => {
      const waiting = await database.sql`
        select from pg_locks join pg_database d on d.oid = database
        where locktype = 'advisory' and not granted and d.datname = current_database()`;
      return waiting.length;
    })
    .toBe(1);
  proxy.interrupt();
  expect(await migrating).not.toBe('migrated');
  other.release();
});

test.each([
  ['the advisory lock', `select pg_advisory_lock(${MIGRATION_LOCK})`, /^the table of migrations waits for a lock/],
  [
    'the table of migrations',
    'begin; create table migrations (name text)',
    /^the table of migrations waits for a lock/,
  ],
])('names who holds %s, and gives up', async (_, hold, line) => {
  await database.sql`drop table migrations`;
  const other = await database.sql.reserve();
  await other.unsafe(hold).simple();
  const [{ pid } = {}] = await other`select pg_backend_pid() as pid`;
  const waits: string[] = [];
  const options = { onWait: (text: string) => waits.push(text), lockMsMax: 20, giveUpAfterMs: 60 };
  await expect(migrateAt(database.urlAs('administrator'), 'test', options)).rejects.toThrow(
    `process ${pid} of PostgreSQL`,
  );
  expect(waits).toEqual([expect.stringMatching(line)]);
  await other`rollback`;
  other.release();
});

test('refuses a database that can not hold text of any script', async () => {
  const name = `latin_${Date.now()}`;
  await database.sql.unsafe(`create database ${name} encoding 'LATIN1' locale 'C' template template0`);
  const url = new URL(database.urlAs('administrator'));
  url.pathname = name;
  await expect(migrateAt(url.href, 'test')).rejects.toThrow('the encoding of the database is LATIN1');
  await database.sql.unsafe(`drop database ${name} with (force)`);
});

test('leaves a schema that is up to date alone, so that a server without writes will do', async () => {
  const url = new URL(database.urlAs('administrator'));
  await database.sql.unsafe(`alter database ${url.pathname.slice(1)} set default_transaction_read_only = on`);
  await migrateAt(database.urlAs('administrator'), 'test');
});
