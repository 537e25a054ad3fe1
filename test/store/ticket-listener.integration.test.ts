import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { connectDatabase } from '../../store/database.ts';
import { TicketListener } from '../../store/ticket-listener.ts';
import { ticketsChannel } from '../../store/tickets.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';

let database: TestDatabase;
const soon = { timeout: 20_000 };

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.[Symbol.asyncDispose]());

/** Passes connections on, until it swallows what goes through those that it has: as a router that has lost its table. */
async function swallowingProxy(target: URL) {
  const sockets = new Set<Socket>();
  let swallowed = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => swallowed.has(from) || to.write(bytes));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    swallow() {
      swallowed = new Set(sockets);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it('notices a connection that died without a word, and listens again on another one', async () => {
  await using proxy = await swallowingProxy(new URL(database.url));
  const url = new URL(database.url);
  url.host = `127.0.0.1:${proxy.port}`;
  const sql = connectDatabase({ url: url.href, connections: 1, application: 'test-listener' });
  const heard: string[] = [];
  const reasons: string[] = [];
  let proven = 0;
  const listener = new TicketListener({
    database: sql,
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
  await sql.end({ timeout: 1 });
});

it('starts deaf where there is no server, says so, and goes on trying until it is closed', async () => {
  const sql = connectDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', connections: 1, application: 'test' });
  let failures = 0;
  const listener = new TicketListener({
    database: sql,
    clock: systemClock,
    onOrderIds: () => {},
    onProven: () => {},
    onDeaf: () => failures++,
  });
  await listener.start();
  expect(listener.isProven).toBe(false);
  await vi.waitFor(() => expect(failures).toBeGreaterThan(1), soon);
  listener.close();
  await sql.end({ timeout: 1 });
});
