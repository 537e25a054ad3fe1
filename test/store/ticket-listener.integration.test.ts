import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { TicketListener } from '../../store/tickets/ticket-listener.ts';
import { ticketsChannel } from '../../store/tickets/tickets.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { swallowingProxy } from '../support/swallowing-proxy.ts';

let database: TestDatabase;
const soon = { timeout: 20_000 };

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.[Symbol.asyncDispose]());

test('notices a connection that died without a word, and listens again on another one', async () => {
  await using proxy = await swallowingProxy(database.url);
  const heard: string[] = [];
  const reasons: string[] = [];
  let proven = 0;
  const listener = new TicketListener({
    server: { server: proxy.url, application: 'test-listener' },
    clock: systemClock,
    proofMs: 50,
    answerMsMax: 1_000,
    onOrderIds: (orderIds) => heard.push(...orderIds),
    onProven: () => proven++,
    onDeaf: ({ message }) => reasons.push(message),
  });
  await listener.start();
  expect([listener.isProven, proven]).toEqual([true, 1]);
  await database.sql`select pg_notify(${ticketsChannel}, 'a,b')`;
  await vi.waitFor(() => expect(heard).toEqual(['a', 'b']), soon);
  proxy.swallow();
  await vi.waitFor(() => expect(reasons).toEqual(['no notification came back within 1000 ms']), soon);
  await vi.waitFor(() => expect([listener.isProven, proven]).toEqual([true, 2]), soon);
  await database.sql`select pg_notify(${ticketsChannel}, 'c')`;
  await vi.waitFor(() => expect(heard).toEqual(['a', 'b', 'c']), soon);
  listener.close();
});

test('starts deaf where there is no server, says so, and goes on trying until it is closed', async () => {
  let failures = 0;
  const listener = new TicketListener({
    server: { server: 'postgres://stranger@127.0.0.1:1/none', application: 'test' },
    clock: systemClock,
    onOrderIds: () => {},
    onProven: () => {},
    onDeaf: () => failures++,
  });
  await listener.start();
  expect(listener.isProven).toBe(false);
  await vi.waitFor(() => expect(failures).toBeGreaterThan(1), soon);
  listener.close();
});
