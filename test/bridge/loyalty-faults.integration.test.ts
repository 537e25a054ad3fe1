import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLoyaltyHandler } from '../../bridge/loyalty/loyalty-handler.ts';
import { BoundedPool } from '../../store/database/bounded-pool.ts';
import { pointsBalance } from '../../store/orders/loyalty.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { publishedEvent, testEvent } from './events.ts';

let database: TestDatabase;
let pool: BoundedPool;
let failures: string[];
let handle: ReturnType<typeof createLoyaltyHandler>;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = new BoundedPool({ server: database.url, connections: 2, application: 'loyalty', answerMsMax: 1_000 });
  failures = [];
  handle = createLoyaltyHandler({ pool, unitsPerPoint: 100, onFailure: (reason) => failures.push(reason) });
});

afterEach(async () => {
  await pool.close();
  await database[Symbol.asyncDispose]();
});

function pushed(customerId: string, messageId: string = randomUUID(), attributes: Record<string, string> = {}) {
  const event = publishedEvent(testEvent('order.paid', 1999, randomUUID(), customerId), 1);
  return {
    id: messageId,
    data: {
      message: {
        messageId,
        data: event.data.toString('base64'),
        attributes: { ...event.attributes, ...attributes },
      },
    },
  };
}

const refusedIds = async () =>
  (await database.sql<{ id: string }[]>`select message_id as id from loyalty_refused`).map(({ id }) => id);

async function raise(state: string): Promise<void> {
  await database.sql.unsafe(`
    create or replace function strike() returns trigger language plpgsql as $$
    begin raise exception 'struck' using errcode = '${state}'; end $$;
    create or replace trigger strike before insert on loyalty_ledger for each row execute function strike();`);
}

test.each(['55P03', '57014', 'XX001', '53100', '40001', '42501'])(
  '%s of the ledger is an outage: pushed again, nothing refused',
  async (state) => {
    await raise(state);
    const event = pushed('c-9');
    for (let attempt = 0; attempt < 6; attempt++) await expect(handle(event)).rejects.toThrow('struck');
    expect(failures[0]).toContain(state);
    expect(await refusedIds()).toEqual([]);
    await database.sql`drop trigger strike on loyalty_ledger`;
    await handle(event);
    expect(await pointsBalance(database.sql, 'c-9')).toBe(19);
  },
);

test.each(['22021', '23514', 'P0001', '54000'])(
  '%s speaks of the entry: it is recorded and acknowledged',
  async (state) => {
    await raise(state);
    await handle(pushed('c-9', 'm-1', { note: 'c\0\ud83d' }));
    expect(await refusedIds()).toEqual(['m-1']);
  },
);

test('what is unknown is tried four times, then recorded', async () => {
  await raise('ZZ999');
  const event = pushed('c-9', 'm-\0\ud83d');
  for (let attempt = 1; attempt < 4; attempt++) await expect(handle(event)).rejects.toThrow('struck');
  await handle(event);
  expect(await refusedIds()).toEqual(['m-\ufffd']);
});

test('a ledger that hangs fails the push by its deadline', async () => {
  const locked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holder = database.sql.begin(async (sql) => {
    await sql`lock table loyalty_ledger in access exclusive mode`;
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  const event = pushed('c-9');
  await expect(handle(event)).rejects.toThrow('has not answered loyalty');
  release.resolve();
  await holder;
  await handle(event);
  expect(await pointsBalance(database.sql, 'c-9')).toBe(19);
});
