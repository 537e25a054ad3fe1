import { afterEach, beforeEach, expect, test } from 'vitest';
import { withPostgres } from '../../store/database/with-postgres.ts';
import { servers } from '../support/servers.ts';
import { startToggledProxy, type ToggledProxy } from '../support/toggled-proxy.ts';

const limits = { connectMsMax: 1_000, askEveryMs: 20, silenceMsMax: 300 };
let proxy: ToggledProxy;
beforeEach(async () => {
  proxy = await startToggledProxy(servers().databaseUrl);
});
afterEach(() => proxy.close());

function source() {
  const url = new URL(servers().databaseUrl);
  url.host = proxy.address;
  return { server: url.href, variable: 'DATABASE_URL' } as const;
}

test('a PostgreSQL that takes a connection and says nothing is named with its variable', async () => {
  proxy.silence();
  await expect(withPostgres(source(), async (sql) => sql`select 1`, limits)).rejects.toThrow(
    `PostgreSQL at ${proxy.address} (DATABASE_URL) does not answer`,
  );
});

test('a PostgreSQL that stops answering in the middle of the work ends the work', async () => {
  let begun = false;
  const work = withPostgres(
    source(),
    async (sql) => {
      begun = true;
      proxy.silence();
      await sql`select 2`;
    },
    { ...limits, silenceMsMax: 2_000 },
  );
  await expect(work).rejects.toThrow(`PostgreSQL at ${proxy.address} (DATABASE_URL) does not answer`);
  expect(begun).toBe(true);
});

test('a statement that takes long is no silence, and an error of the work comes as it is', async () => {
  const patient = { ...limits, silenceMsMax: 5_000 };
  const slept = withPostgres(source(), async (sql) => sql`select pg_sleep(0.5)`, patient);
  await expect(slept).resolves.toHaveLength(1);
  const refused = withPostgres(source(), async (sql) => sql`select no_such_column`, patient);
  await expect(refused).rejects.toThrow('no_such_column');
});
