import { expect, test } from 'vitest';
import { connectDatabase, inTransaction } from '../../store/database/database.ts';
import { createTestDatabase } from '../support/servers.ts';
import { startToggledProxy } from '../support/toggled-proxy.ts';

test('a transaction is written whole or not at all', async () => {
  await using database = await createTestDatabase();
  await database.sql`create table written (n integer primary key)`;
  const insert = (...numbers: number[]) =>
    inTransaction(database.sql, async (sql) => {
      for (const n of numbers) await sql`insert into written values (${n})`;
      return numbers.length;
    });
  expect(await insert(1, 2)).toBe(2);
  await expect(insert(3, 1)).rejects.toThrow('duplicate key');
  expect((await database.sql`select n from written order by n`).map(({ n }) => n)).toEqual([1, 2]);
});

test('a connection that breaks inside of a transaction fails it, ends no process, and the pool goes on', async () => {
  await using database = await createTestDatabase();
  const proxy = await startToggledProxy(database.url);
  const url = new URL(database.url);
  url.host = proxy.address;
  const pool = connectDatabase({ server: url.href, connections: 1, application: 'test' });
  for (const caught of [(error: Error) => error, () => new Error('what the work makes of it')]) {
    const failing = inTransaction(pool, async (sql) => {
      const slept = sql`select pg_sleep(60)`.catch((error: Error) => Promise.reject(caught(error)));
      proxy.interrupt();
      await slept;
    });
    // What the driver throws outside of any promise, vitest reports as an unhandled error of this file.
    await expect(failing).rejects.toMatchObject({ code: expect.stringMatching(/^(CONNECTION_|ECONN|EPIPE)/) });
    proxy.resume();
    await expect
      .poll(async () => (await pool`select 1 as one`.catch(() => []))[0], { timeout: 20_000 })
      .toEqual({ one: 1 });
  }
  await pool.end({ timeout: 1 });
  await proxy.close();
});
