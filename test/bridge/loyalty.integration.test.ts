import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startLoyalty } from '../../bridge/loyalty/loyalty-function.ts';
import { ensureTopology } from '../../bridge/pubsub/topology.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { pointsBalance } from '../../store/orders/loyalty.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { describeGoogleCloud, pubSubOf, testConfig } from './cloud.ts';
import { publishedEvent, testEvent } from './events.ts';

const names = {
  topic: 'order-events',
  loyaltySubscription: 'loyalty',
  warehouseSubscription: 'warehouse',
  dataset: 'unused',
};
const logger = createLogger('test', 'silent');

describeGoogleCloud('loyalty function', () => {
  let database: TestDatabase;
  let loyalty: RunningRole;
  let config: ReturnType<typeof testConfig>;

  beforeEach(async () => {
    database = await createTestDatabase();
    config = testConfig({ DATABASE_URL: database.url });
    loyalty = await startLoyalty(config, logger, names);
  });

  afterEach(async () => {
    await loyalty.close();
    await database[Symbol.asyncDispose]();
  });

  async function post(body: unknown): Promise<number> {
    const path = `/projects/${config.GOOGLE_CLOUD_PROJECT}/topics/order-events`;
    const response = await fetch(`${loyalty.addresses.loyalty}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.status;
  }

  function push(event: { data: Buffer; attributes: Record<string, string> }, messageId: string = randomUUID()) {
    const { data, attributes } = event;
    return post({
      subscription: 'projects/p/subscriptions/loyalty',
      message: { messageId, publishTime: '2026-11-22T10:00:00Z', data: data.toString('base64'), attributes },
    });
  }

  test('credits an event once, however often Pub/Sub delivers it', async () => {
    const event = publishedEvent(testEvent('order.paid', 1999), 1);
    const statuses = await Promise.all(Array.from({ length: 8 }, () => push(event)));
    expect(statuses).toEqual(Array.from({ length: 8 }, () => 204));
    expect(await pointsBalance(database.sql, 'c-1')).toBe(19);
  });

  test('is pushed to by the real subscription', async () => {
    await using pubSub = closing(pubSubOf(config));
    await vi.waitFor(() => pubSub.client.subscription('loyalty').getMetadata(), { timeout: 20_000 });
    const topic = pubSub.client.topic('order-events', { messageOrdering: true });
    for (let sequence = 0; sequence < 20; sequence++) {
      const event = testEvent('order.paid', 2000);
      await topic.publishMessage({ ...publishedEvent(event, sequence), orderingKey: event.orderId });
    }
    await vi.waitFor(async () => expect(await pointsBalance(database.sql, 'c-1')).toBe(400), { timeout: 20_000 });
  });

  test('a function that fails for a while is pushed every event again', async () => {
    await using pubSub = closing(pubSubOf(testConfig()));
    const EVENTS = 100;
    const FAILURES = 4;
    const pushes = new Map<string, number>();
    const taken = new Set<string>();
    const server = createHttpServer(async (request, response) => {
      const { messageId } = ((await json(request)) as { message: { messageId: string } }).message;
      pushes.set(messageId, (pushes.get(messageId) ?? 0) + 1);
      const fails = (pushes.get(messageId) ?? 0) <= FAILURES;
      if (!fails) taken.add(messageId);
      response.writeHead(fails ? 500 : 204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await ensureTopology(pubSub.client, names, { endpoint: `http://127.0.0.1:${port}/projects/p/topics/t` });
      const topic = pubSub.client.topic('order-events');
      await Promise.all(
        Array.from({ length: EVENTS }, () => topic.publishMessage(publishedEvent(testEvent('order.paid', 2000), 1))),
      );
      await vi.waitFor(() => expect(taken.size).toBe(EVENTS), { timeout: 40_000 });
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('moves a subscription that points elsewhere to its own address', async () => {
    const other = testConfig();
    await using pubSub = closing(pubSubOf(other));
    await ensureTopology(pubSub.client, names, { endpoint: 'http://127.0.0.1:9/projects/p/topics/order-events' });
    const second = await startLoyalty(
      testConfig({ DATABASE_URL: database.url, GOOGLE_CLOUD_PROJECT: other.GOOGLE_CLOUD_PROJECT }),
      logger,
      names,
    );
    try {
      await vi.waitFor(
        async () => {
          const [metadata] = await pubSub.client.subscription('loyalty').getMetadata();
          expect(metadata.pushConfig?.pushEndpoint).toContain(second.addresses.loyalty);
        },
        { timeout: 20_000 },
      );
    } finally {
      await second.close();
    }
  });

  test('acknowledges what it can make nothing of, and records it', async () => {
    const event = publishedEvent(testEvent('order.paid', 1999), 1);
    expect(await push({ ...event, data: Buffer.from('{') }, 'no-json')).toBe(204);
    expect(await push({ ...event, attributes: {} }, 'no-attributes')).toBe(204);
    const strange = testEvent('order.paid', 1999, randomUUID(), 'c\u0000');
    expect(await push(publishedEvent(strange, 2), 'refused-by-the-ledger')).toBe(204);
    expect(await post({ subscription: 's', message: { messageId: 'no-data' } })).toBe(204);
    const refused = await database.sql<{ messageId: string; data: Buffer | null }[]>`
      select message_id as "messageId", data from loyalty_refused order by refused_at`;
    expect(refused.map(({ messageId }) => messageId).slice(0, 3)).toEqual([
      'no-json',
      'no-attributes',
      'refused-by-the-ledger',
    ]);
    expect(refused).toHaveLength(4);
    expect(refused[0]?.data?.toString()).toBe('{');
  });

  test('records each refused message, also under an id that was used before', async () => {
    const event = publishedEvent(testEvent('order.paid', 1999), 1);
    const poison = (text: string) => ({ ...event, data: Buffer.from(text) });
    // An emulator that was made new counts from 1 again.
    for (const text of ['{"first"', '{"second"', '{"second"']) expect(await push(poison(text), '1')).toBe(204);
    expect(await push({ ...poison('{"second"'), attributes: {} }, '1')).toBe(204);
    // What has no id is all of the same name.
    for (const note of ['a', 'b', 'b'])
      expect(await post({ subscription: 's', message: { data: 7, attributes: { note } } })).toBe(204);
    const refused = await database.sql<{ data: Buffer | null }[]>`
      select data from loyalty_refused order by refused_at`;
    expect(refused.map(({ data }) => data?.toString()).slice(0, 3)).toEqual(['{"first"', '{"second"', '{"second"']);
    expect(refused.slice(3).map(({ data }) => data?.toString())).toEqual([
      expect.stringContaining('"note":"a"'),
      expect.stringContaining('"note":"b"'),
    ]);
  });

  test('is ready again when the ledger is, though nothing is pushed to it', async () => {
    const readyz = () => fetch(`${loyalty.addresses.admin}/readyz`);
    await vi.waitFor(async () => expect((await readyz()).status).toBe(200), { timeout: 20_000 });
    await database.sql`alter table loyalty_ledger rename to loyalty_ledger_away`;
    expect(await push(publishedEvent(testEvent('order.paid', 1999), 1))).toBe(500);
    expect(await (await readyz()).text()).toContain('ledger');
    await database.sql`alter table loyalty_ledger_away rename to loyalty_ledger`;
    await vi.waitFor(async () => expect((await readyz()).status).toBe(200), { timeout: 20_000 });
  });

  test('asks for a later delivery while the ledger is down', async () => {
    const event = publishedEvent(testEvent('order.paid', 1999), 1);
    await database.sql`alter table loyalty_ledger rename to loyalty_ledger_away`;
    expect(await push(event)).toBe(500);
    await database.sql`alter table loyalty_ledger_away rename to loyalty_ledger`;
    expect(await push(event)).toBe(204);
    expect(await pointsBalance(database.sql, 'c-1')).toBe(19);
  });

  test('is the same function as the framework serves it from the module that is deployed', async () => {
    const port = await freePort();
    await using child = framework(port, { DATABASE_URL: database.url });
    const { data, attributes } = publishedEvent(testEvent('order.paid', 1999), 1);
    const body = JSON.stringify({
      subscription: 'projects/p/subscriptions/loyalty',
      message: { messageId: 'm-1', data: data.toString('base64'), attributes },
    });
    await vi.waitFor(
      async () => {
        expect(child.process.exitCode).toBeNull();
        const response = await fetch(`http://127.0.0.1:${port}/projects/p/topics/order-events`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
        expect(response.status).toBe(204);
      },
      { timeout: 40_000, interval: 200 },
    );
    expect(await pointsBalance(database.sql, 'c-1')).toBe(19);
  });

  test('earns nothing with other events', async () => {
    expect(await push(publishedEvent(testEvent('order.cooked', 1999), 1))).toBe(204);
    expect(await pointsBalance(database.sql, 'c-1')).toBe(0);
  });
});

function closing(client: ReturnType<typeof pubSubOf>) {
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

/** The framework's own command, as Cloud Functions starts it. */
function framework(port: number, env: Record<string, string>) {
  const command = fileURLToPath(import.meta.resolve('@google-cloud/functions-framework')).replace(
    /index\.js$/,
    'main.js',
  );
  const child = spawn(
    process.execPath,
    [
      command,
      '--source=bridge/loyalty/loyalty-entry.ts',
      '--target=loyalty',
      '--signature-type=cloudevent',
      `--port=${port}`,
    ],
    { env: { ...process.env, ...env }, stdio: 'ignore' },
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    process: child,
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
