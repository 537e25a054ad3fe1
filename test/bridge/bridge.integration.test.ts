import type { Message } from '@google-cloud/pubsub';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type BridgeEnds, startBridge } from '../../bridge/bridge.ts';
import { ensureTopology } from '../../bridge/pubsub/topology.ts';
import { startWarehouse } from '../../bridge/warehouse/warehouse.ts';
import { warehouseEvents } from '../../bridge/warehouse/warehouse-events.ts';
import type { Config } from '../../contracts/config/config.ts';
import { limits } from '../../contracts/limits.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { deadLetterTopic } from '../../contracts/topics.ts';
import { type Admin, createAdmin, createProducer, type RecordProducer } from '../../kafka/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createTestDatabase, servers, type TestDatabase, uniqueName } from '../support/servers.ts';
import { startToggledProxy, type ToggledProxy } from '../support/toggled-proxy.ts';
import { deleteDataset, describeGoogleCloud, pubSubOf, testConfig, testNames, warehouseCounts } from './cloud.ts';
import { type TestEvent, testEvent } from './events.ts';

const logger = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'silent');
const patience = { timeout: 40_000, interval: 100 };
const { cluster } = servers();

describeGoogleCloud('bridge', () => {
  let ends: BridgeEnds;
  let config: Config;
  let database: TestDatabase;
  let admin: Admin;
  let producer: RecordProducer;
  let pubSubProxy: ToggledProxy;
  const running: RunningRole[] = [];

  beforeEach(async () => {
    ends = { topic: uniqueName('validated'), group: uniqueName('bridge'), names: testNames() };
    database = await createTestDatabase();
    const direct = testConfig();
    pubSubProxy = await startToggledProxy(direct.PUBSUB_EMULATOR_HOST ?? '');
    config = testConfig({
      GOOGLE_CLOUD_PROJECT: direct.GOOGLE_CLOUD_PROJECT,
      PUBSUB_EMULATOR_HOST: pubSubProxy.address,
      DATABASE_URL: database.url,
      ORDERMESH_SLOTS: '2',
      ORDERMESH_BRIDGE_MIN_TOTAL: '2500',
      ORDERMESH_BRIDGE_PUBLISH_DEADLINE: '500ms',
    });
    admin = await createAdmin({ clientId: 'test', cluster });
    await admin.createTopics(
      [ends.topic, deadLetterTopic(ends.topic, ends.group)].map((topic) => ({
        topic,
        partitions: 4,
        replicationFactor: 1,
        config: {},
      })),
    );
    producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 10_000 });
  });

  afterEach(async () => {
    for (const role of running.splice(0)) await role.close();
    await producer.close();
    await admin.deleteTopics((await admin.listTopics()).filter((topic) => topic.startsWith(ends.topic)));
    await admin.close();
    await pubSubProxy.close();
    await database[Symbol.asyncDispose]();
  });

  async function start(overrides: Partial<Config> = {}): Promise<RunningRole> {
    const role = await startBridge({ ...config, ...overrides }, logger, ends);
    running.push(role);
    return role;
  }

  async function write(events: TestEvent[]): Promise<void> {
    await producer.send(
      events.map(({ orderId, value, headers }) => ({ topic: ends.topic, key: orderId, value, headers })),
    );
  }

  /** All that a new ordered subscription of the topic receives, as it comes in. */
  async function collect() {
    const client = pubSubOf({ ...config, PUBSUB_EMULATOR_HOST: testConfig().PUBSUB_EMULATOR_HOST });
    await ensureTopology(client, ends.names, undefined);
    const [subscription] = await client.createSubscription(ends.names.topic, uniqueName('reader'), {
      enableMessageOrdering: true,
    });
    const messages: Message[] = [];
    subscription.on('error', (error) => expect.unreachable(String(error)));
    subscription.on('message', (message: Message) => {
      messages.push(message);
      message.ack();
    });
    return { messages, [Symbol.asyncDispose]: () => client.close() };
  }

  /** Pub/Sub delivers at least once: on a busy machine an acknowledgement comes too late, and its message again. */
  function firstDeliveries(messages: readonly Message[]): Message[] {
    const ids = new Set<string | undefined>();
    return messages.filter(({ attributes: { id } }) => !ids.has(id) && ids.add(id));
  }

  async function lag(): Promise<number> {
    const committed = await admin.committedOffsets(ends.group, ends.topic);
    const ranges = await admin.offsets(ends.topic);
    return ranges.reduce(
      (sum, { partition, latest, earliest }) => sum + latest - (committed.get(partition) ?? earliest),
      0,
    );
  }

  test('publishes the high-value events, in order per order, bytes and attributes intact', async () => {
    await using reader = await collect();
    await start();
    const orders = Array.from({ length: 50 }, (_, index) => {
      const validated = testEvent('order.validated', index % 2 === 0 ? 3000 : 900);
      const total = index % 2 === 0 ? 3000 : 900;
      return [
        validated,
        testEvent('order.paid', total, validated.orderId),
        testEvent('order.cooked', total, validated.orderId),
      ];
    });
    for (const step of [0, 1, 2]) await write(orders.flatMap((events) => events.slice(step, step + 1)));
    await vi.waitFor(() => expect(firstDeliveries(reader.messages)).toHaveLength(50), patience);
    await vi.waitFor(async () => expect(await lag()).toBe(0), patience);
    const messages = firstDeliveries(reader.messages);
    expect(messages).toHaveLength(50);
    for (const [validated, paid] of orders.filter((_, index) => index % 2 === 0)) {
      const received = messages.filter(({ orderingKey }) => orderingKey === validated?.orderId);
      expect(received.map(({ attributes }) => attributes.type)).toEqual(['order.paid', 'order.cooked']);
      expect(received[0]?.data).toEqual(paid?.value);
      expect(received[0]?.attributes).toMatchObject({ id: paid?.headers.ce_id, orderingkey: validated?.orderId });
      expect(Number(received[0]?.attributes.sequence)).toBeLessThan(Number(received[1]?.attributes.sequence));
    }
  });

  test('waits while Pub/Sub is out of reach, parks nothing, and goes on in order', async () => {
    await using reader = await collect();
    const bridge = await start();
    const first = Array.from({ length: 20 }, () => testEvent('order.paid', 3000));
    await write(first);
    await vi.waitFor(() => expect(reader.messages).toHaveLength(20), patience);
    await vi.waitFor(async () => expect(await lag()).toBe(0), patience);

    pubSubProxy.interrupt();
    await write(first.map(({ orderId }) => testEvent('order.cooking', 3000, orderId)));
    await write(first.map(({ orderId }) => testEvent('order.cooked', 3000, orderId)));
    await write(first.map(({ orderId }) => testEvent('order.payment-failed', 3000, orderId)));
    await vi.waitFor(async () => expect((await fetch(`${bridge.addresses.admin}/readyz`)).status).toBe(503), patience);
    // More failures than a message of poison would be allowed.
    await vi.waitFor(
      async () =>
        expect(await metric(bridge, 'ordermesh_bridge_publish_failures_total')).toBeGreaterThan(limits.retriesMax + 1),
      patience,
    );
    expect(await lag()).toBeGreaterThan(0);

    pubSubProxy.resume();
    await vi.waitFor(async () => expect(await lag()).toBe(0), patience);
    await vi.waitFor(
      () => expect(new Set(reader.messages.map(({ attributes }) => attributes.id)).size).toBe(60),
      patience,
    );
    for (const { orderId } of first) {
      const types = reader.messages
        .filter(({ orderingKey }) => orderingKey === orderId)
        .map(({ attributes }) => attributes.type);
      // A publish whose answer was lost with the connection is there twice; it never changes places.
      expect([...new Set(types)]).toEqual(['order.paid', 'order.cooked', 'order.payment-failed']);
      expect(types.toSorted((a, b) => types.indexOf(a) - types.indexOf(b))).toEqual(types);
    }
    await vi.waitFor(async () => expect((await fetch(`${bridge.addresses.admin}/readyz`)).status).toBe(200), patience);
    const parked = await admin.offsets(deadLetterTopic(ends.topic, ends.group));
    expect(parked.every(({ earliest, latest }) => earliest === latest)).toBe(true);
  });

  test('starts while Pub/Sub is out of reach', async () => {
    pubSubProxy.interrupt();
    await write([testEvent('order.paid', 3000)]);
    await start();
    pubSubProxy.resume();
    await using reader = await collect();
    await vi.waitFor(async () => expect(await lag()).toBe(0), patience);
    await write([testEvent('order.paid', 3000)]);
    await vi.waitFor(() => expect(reader.messages.length).toBeGreaterThanOrEqual(1), patience);
  });

  test('makes the topic again when Pub/Sub has lost it, and says so', async () => {
    const bridge = await start();
    await vi.waitFor(
      async () => expect(await (await fetch(`${bridge.addresses.admin}/readyz`)).text()).not.toContain('pubsub'),
      patience,
    );
    const client = pubSubOf(config);
    await client.topic(ends.names.topic).delete();
    await client.subscription(ends.names.warehouseSubscription).delete();
    await client.subscription(ends.names.loyaltySubscription).delete();
    await client.close();
    await write([testEvent('order.paid', 3000)]);
    await vi.waitFor(async () => expect(await lag()).toBe(0), patience);
    expect(await metric(bridge, 'ordermesh_google_cloud_remade_total')).toBeGreaterThan(0);
  });

  test('parks what is no event, and other orders go on', async () => {
    await start();
    const poison = { ...testEvent('order.paid', 3000), value: Buffer.from('{') };
    await write([poison, testEvent('order.paid', 3000)]);
    await vi.waitFor(async () => expect(await lag()).toBe(0), patience);
    const parked = await admin.offsets(deadLetterTopic(ends.topic, ends.group));
    expect(parked.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0)).toBe(1);
  });

  test('restarted bridges and warehouses count every event exactly once', async () => {
    try {
      const events = Array.from({ length: 400 }, () => testEvent('order.paid', 3000));
      let bridge = await start();
      const warehouse = await startWarehouse(config, logger, ends.names);
      running.push(warehouse);
      await write(events.slice(0, 200));
      await vi.waitFor(
        async () => expect(await metric(bridge, 'ordermesh_bridge_published_total')).toBeGreaterThan(50),
        patience,
      );
      await bridge.close();
      await write(events.slice(200));
      // Another group starts at the first record: everything is delivered again, as after a crash that lost all commits.
      ends = { ...ends, group: uniqueName('bridge') };
      bridge = await start();
      await vi.waitFor(async () => expect((await warehouseEvents(config, 0, ends.names)).ids.size).toBe(400), patience);
      await vi.waitFor(async () => expect(await lag()).toBe(0), patience);
      const counts = await warehouseCounts(config, ends.names);
      expect(counts).toMatchObject({ events: 400, orders: 400, parked: 0 });
      expect(counts.rows).toBeGreaterThan(400);
    } finally {
      await deleteDataset(config, ends.names);
    }
  });
});

async function metric(role: RunningRole, name: string): Promise<number> {
  const text = await (await fetch(`${role.addresses.admin}/metrics`)).text();
  return Number(new RegExp(`^${name}\\S* (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
