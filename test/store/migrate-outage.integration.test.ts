import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrateAt } from '../../store/migrate.ts';
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

it('fails when its connection breaks, instead of waiting for an answer that cannot come', async () => {
  const other = await database.sql.reserve();
  await other`select pg_advisory_lock(${MIGRATION_LOCK})`;
  const url = new URL(database.url);
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
