import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { faultOf } from '../../runtime/outage.ts';
import { BoundedPool, DatabaseSilentError } from '../../store/database/bounded-pool.ts';
import { createTestDatabase } from '../support/servers.ts';

test('a server that takes connections and never answers is an outage after a time', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const url = `postgres://stranger@127.0.0.1:${port}/nothing`;
  const pool = new BoundedPool({ server: url, connections: 1, application: 'test', answerMsMax: 100 });
  const failure = await pool.call((sql) => sql`select 1`).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DatabaseSilentError);
  expect(faultOf(failure)).toBe('outage');
  await pool.close();
  server.close();
});

test('a call that is never answered keeps no connection from the next ones', async () => {
  await using database = await createTestDatabase();
  const pool = new BoundedPool({ server: database.url, connections: 1, application: 'test', answerMsMax: 1_000 });
  const begun = Promise.withResolvers<void>();
  const silent = pool.call((sql) =>
    sql.begin(async () => {
      begun.resolve();
      await new Promise(() => {});
    }),
  );
  await begun.promise;
  await expect(silent).rejects.toThrow(DatabaseSilentError);
  expect(await pool.call(async (sql) => [...(await sql`select 1 as one`)])).toEqual([{ one: 1 }]);
  await expect(pool.call((sql) => sql`select 1 / 0`)).rejects.toThrow('division by zero');
  await pool.close();
});
