import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { startDisplay } from '../../display/server.ts';
import { ticketsChannel } from '../../store/tickets/tickets.ts';
import { createTestDatabase, kafkaEnvironment, type TestDatabase } from '../support/servers.ts';
import { swallowingProxy } from '../support/swallowing-proxy.ts';
import { TestScreen } from './test-screen.ts';

const soon = { timeout: 30_000, interval: 25 };
const [STORE, DAMAGED] = ['us-il-0001', 'us-il-0002'];
const lines: { msg: string; orderId?: string }[] = [];
const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
const said = (pattern: RegExp) => lines.filter(({ msg }) => pattern.test(msg)).length;

let database: TestDatabase;
let display: RunningRole;

beforeEach(async () => {
  lines.length = 0;
  database = await createTestDatabase();
});
afterEach(async () => {
  await display?.close();
  await database[Symbol.asyncDispose]();
});

async function start(url: string): Promise<void> {
  const config = loadConfig({
    ...kafkaEnvironment(),
    DATABASE_URL: url,
    ORDERMESH_DISPLAY_PORT: '0',
    ORDERMESH_ADMIN_PORT: '0',
  });
  display = await startDisplay(config, logger, { stages: [] });
}

const open = (storeId?: string) => TestScreen.open(display.addresses.display ?? '', storeId);

async function newTicket(storeId: string, items: unknown, table = 'tickets'): Promise<string> {
  const { sql } = database;
  const orderId = randomUUID();
  await sql`
    insert into ${sql(table)} (order_id, store_id, state, round, channel, items, total, currency, placed_at, paid_at)
    values (${orderId}, ${storeId}, 'open', 1, 'app', ${JSON.stringify(items)}::text::json, 100, 'USD', now(), now())`;
  await sql`select pg_notify(${ticketsChannel}, ${orderId})`;
  return orderId;
}

async function ready(): Promise<string> {
  const response = await fetch(new URL('/readyz', display.addresses.admin));
  return `${response.status} ${await response.text()}`;
}

test('a ticket that cannot be shown has a card that says so, and all other tickets are shown', async () => {
  await start(database.urlAs('display'));
  const damaged = await newTicket(STORE, {});
  await using chain = await open();
  await using store = await open(STORE);
  for (const screen of [chain, store])
    expect((await screen.ticket(damaged)).lines).toMatchObject([{ name: expect.stringContaining('cannot be shown') }]);
  const later = await newTicket(STORE, [{ sku: 'cola', quantity: 1, unitPrice: 1 }]);
  await newTicket(STORE, [{ sku: 5 }]);
  expect((await store.ticket(later)).lines).toMatchObject([{ name: 'Cola' }]);
  await vi.waitFor(() => expect(said(/cannot be shown/)).toBe(2), soon);
  expect(lines.find(({ msg }) => /cannot be shown/.test(msg))).toMatchObject({ orderId: damaged });
  expect([said(/not answering/), said(/may have been missed/)]).toEqual([0, 0]);
});

test('when the tickets of one store cannot be read, its screen says so and is retried, and the other screens go on', async () => {
  const { sql } = database;
  await start(database.urlAs('display'));
  await using damaged = await open(DAMAGED);
  await using other = await open(STORE);
  // Stands in for a damaged page: reading the content of one store's tickets fails, counting them does not.
  await sql.unsafe(`
    create function content(json) returns json stable language plpgsql as $$
      begin raise exception 'invalid page in block 7' using errcode = 'XX001'; end $$;
    alter table tickets rename to stored;
    create view tickets as select order_id, store_id, state, round, channel, number, guest, fulfilment, total, currency, placed_at,
      paid_at, cooking_at, cooked_at, recalled_at, case when store_id = '${DAMAGED}' then content(items) else items end as items from stored`);
  await newTicket(DAMAGED, [], 'stored');
  const lastBeat = (screen: TestScreen) => screen.messages.findLast((message) => message.type === 'beat');
  await vi.waitFor(() => expect(lastBeat(damaged)).toMatchObject({ database: 'up', stale: { why: 'tickets' } }), soon);
  expect(await ready()).toMatch(
    /^200 ready\nscreens: .* since \d\d:\d\d:\d\d: 1 such screens, the first is us-il-0002: invalid page/,
  );
  const text = await (await fetch(new URL('/metrics', display.addresses.admin))).text();
  expect(text).toMatch(/^ordermesh_display_screens_unread(\{.*\})? 1$/m);
  await other.ticket(await newTicket(STORE, [], 'stored'));
  expect(lastBeat(other)).not.toHaveProperty('stale');

  await sql.unsafe('create or replace function content(json) returns json stable language sql as $$ select $1 $$');
  await vi.waitFor(() => expect(lastBeat(damaged)).not.toHaveProperty('stale'), soon);
  expect([said(/^the tickets of a screen cannot be read/), said(/can be read again after/)]).toEqual([1, 1]);
  expect(said(/not answering/)).toBe(0);
});

test('connections that died without a close are replaced', async () => {
  await using proxy = await swallowingProxy(database.urlAs('display'));
  await start(proxy.url);
  await using screen = await open(STORE);
  // All connections of the pool are in use once.
  await Promise.all(Array.from({ length: 8 }, () => screen.sendText('{"type":"refresh"}')));
  proxy.swallow();
  await vi.waitFor(() => expect(said(/is not answering/)).toBe(1), soon);
  await vi.waitFor(() => expect(said(/answers again/)).toBe(1), soon);
  await screen.ticket(await newTicket(STORE, []));
  expect(await ready()).toMatch(/^200/);
});
