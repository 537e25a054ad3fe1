import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPubSub, type GoogleCloudNames } from '../../bridge/pubsub/google-cloud.ts';
import { ensureTopology } from '../../bridge/pubsub/topology.ts';
import { startWarehouse } from '../../bridge/warehouse/warehouse.ts';
import { warehouseEvents } from '../../bridge/warehouse/warehouse-events.ts';
import type { Config } from '../../contracts/config/config.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { startToggledProxy, type ToggledProxy } from '../support/toggled-proxy.ts';
import { deleteDataset, describeGoogleCloud, query, testConfig, testNames, warehouseCounts } from './cloud.ts';
import { publishedEvent, testEvent } from './events.ts';

const logger = createLogger('test', 'silent');
const patience = { timeout: 30_000, interval: 100 };

describeGoogleCloud('warehouse', () => {
  let names: GoogleCloudNames;
  let config: Config;
  let bigQueryProxy: ToggledProxy;
  const running: RunningRole[] = [];

  beforeEach(async () => {
    names = testNames();
    const direct = testConfig();
    bigQueryProxy = await startToggledProxy(direct.BIGQUERY_EMULATOR_HOST ?? '');
    config = testConfig({
      GOOGLE_CLOUD_PROJECT: direct.GOOGLE_CLOUD_PROJECT,
      BIGQUERY_EMULATOR_HOST: bigQueryProxy.address,
    });
    await using pubSub = new Closing(
      createPubSub({ project: config.GOOGLE_CLOUD_PROJECT, pubSubEmulator: config.PUBSUB_EMULATOR_HOST }),
    );
    await ensureTopology(pubSub.client, names, undefined);
  });

  afterEach(async () => {
    for (const role of running.splice(0)) await role.close();
    bigQueryProxy.resume();
    await deleteDataset(config, names);
    await bigQueryProxy.close();
  });

  async function start(overrides: Partial<Config> = {}): Promise<RunningRole> {
    const role = await startWarehouse({ ...config, ...overrides }, logger, names);
    running.push(role);
    return role;
  }

  async function publish(messages: { data: Buffer; attributes: Record<string, string> }[]): Promise<void> {
    await using pubSub = new Closing(
      createPubSub({ project: config.GOOGLE_CLOUD_PROJECT, pubSubEmulator: config.PUBSUB_EMULATOR_HOST }),
    );
    const topic = pubSub.client.topic(names.topic);
    await Promise.all(messages.map((message) => topic.publishMessage(message)));
  }

  test('counts an event once, however often it arrives, and shows the latest status of an order', async () => {
    await start();
    const paid = testEvent('order.paid', 2599);
    const cooked = testEvent('order.cooked', 2599, paid.orderId);
    const other = testEvent('order.payment-failed', 4000);
    // The copy of order.paid has a later offset than order.cooked, as after a redelivery upstream: it must not win.
    const arrivals = [
      publishedEvent(cooked, 5),
      publishedEvent(paid, 3),
      publishedEvent(paid, 9),
      publishedEvent(paid, 3),
      publishedEvent(other, 4),
    ];
    await publish(arrivals);
    await vi.waitFor(async () => expect((await warehouseCounts(config, names)).rows).toBe(5), patience);
    expect(await warehouseCounts(config, names)).toEqual({ events: 3, orders: 2, rows: 5, parked: 0 });
    const orders = await query(
      config,
      `select order_id, status, total, events, deliveries from \`${config.GOOGLE_CLOUD_PROJECT}.${names.dataset}.orders\``,
    );
    expect(orders).toContainEqual({ order_id: paid.orderId, status: 'cooked', total: 2599, events: 2, deliveries: 4 });
    expect(orders).toContainEqual({
      order_id: other.orderId,
      status: 'payment-failed',
      total: 4000,
      events: 1,
      deliveries: 1,
    });
  });

  test('observes the age of orders whose events carry the time of their acceptance', async () => {
    const role = await start();
    const event = publishedEvent(testEvent('order.paid', 3000), 1);
    const acceptedtime = new Date(Date.now() - 60_000).toISOString();
    const old = { ...event, attributes: { ...event.attributes, acceptedtime } };
    await publish([old, publishedEvent(testEvent('order.cooked', 3000), 2)]);
    await vi.waitFor(async () => expect((await warehouseCounts(config, names)).events).toBe(2), patience);
    let scrape = '';
    // The row shows in BigQuery before the insert is answered.
    await vi.waitFor(async () => {
      scrape = await (await fetch(`${role.addresses.admin}/metrics`)).text();
      expect(scrape).toMatch(/ordermesh_order_age_seconds_count\{[^}]*step="warehouse"[^}]*\} 1$/m);
    }, patience);
    expect(Number(/ordermesh_order_age_seconds_sum\{[^}]*\} (.*)/.exec(scrape)?.[1])).toBeGreaterThanOrEqual(60);
  });

  test('a recalled order is paid again, as in the API', async () => {
    await start();
    const paid = testEvent('order.paid', 2599);
    const kitchen = (type: 'order.cooked' | 'order.recalled', round: number, sequence: number) => {
      const event = publishedEvent(testEvent(type, 2599, paid.orderId), sequence);
      return { ...event, attributes: { ...event.attributes, id: `${paid.orderId}/${type}/${round}` } };
    };
    const status = () =>
      query(config, `select status, events from \`${config.GOOGLE_CLOUD_PROJECT}.${names.dataset}.orders\``).catch(
        (error: Error) => error.message,
      );
    await publish([publishedEvent(paid, 3), kitchen('order.cooked', 1, 5), kitchen('order.recalled', 1, 6)]);
    await vi.waitFor(async () => expect(await status()).toEqual([{ status: 'paid', events: 3 }]), patience);
    // Where the topic has more partitions now, offsets begin again: the order of an order's life is not that of its offsets.
    await publish([kitchen('order.cooked', 2, 1)]);
    await vi.waitFor(async () => expect(await status()).toEqual([{ status: 'cooked', events: 4 }]), patience);
  });

  test('parks what is no event, and the rest of its batch goes on', async () => {
    await start();
    const good = Array.from({ length: 20 }, (_, index) => publishedEvent(testEvent('order.paid', 3000), index));
    await publish([...good, { data: Buffer.from('{'), attributes: { id: 'x', type: 'order.paid', sequence: '1' } }]);
    await vi.waitFor(
      async () => expect(await warehouseCounts(config, names)).toMatchObject({ events: 20, orders: 20, parked: 1 }),
      patience,
    );
    const [parked] = await query(
      config,
      `select reason, data_base64 from \`${config.GOOGLE_CLOUD_PROJECT}.${names.dataset}.order_events_parked\``,
    );
    expect(parked).toEqual({
      reason: 'the data is not a JSON object',
      data_base64: Buffer.from('{').toString('base64'),
    });
    const occurredAt = Date.parse('2026-11-22T10:00:00Z');
    const { ids, parked: parkedSince, parkedIds } = await warehouseEvents(config, occurredAt, names);
    expect([...ids].sort()).toEqual(good.map(({ attributes }) => attributes.id).sort());
    expect([parkedSince, parkedIds]).toEqual([1, new Set(['x'])]);
    expect(await warehouseEvents(config, occurredAt + 1, names)).toMatchObject({ ids: new Set(), parked: 1 });
  });

  test.each([
    ['a lone surrogate', 'c-\ud83d'],
    ['NUL', 'c-\0'],
  ])('a row that BigQuery stumbles over is isolated from its batch, whatever the status: %s', async (_, customerId) => {
    const role = await start();
    const good = (count: number, from: number) =>
      Array.from({ length: count }, (_, index) => publishedEvent(testEvent('order.paid', 3000), from + index));
    const strange = testEvent('order.paid', 3000, randomUUID(), customerId);
    await publish([...good(10, 0), publishedEvent(strange, 10), ...good(10, 11)]);
    await vi.waitFor(async () => {
      const { events, parked } = await warehouseCounts(config, names);
      // The emulator stumbles over either; BigQuery itself may take one of them.
      expect([events, parked]).toEqual(events === 21 ? [21, 0] : [20, 1]);
    }, patience);
    await vi.waitFor(async () => expect(await metric(role, 'held_messages')).toBe(0), patience);
    await vi.waitFor(async () => expect(await readiness(role)).toMatchObject({ status: 200 }), patience);
  });

  test('a BigQuery that takes connections and never answers is named in the readiness', async () => {
    const role = await start({ ORDERMESH_WAREHOUSE_INSERT_TIMEOUT: 1_000 });
    await vi.waitFor(async () => expect((await readiness(role)).status).toBe(200), patience);
    bigQueryProxy.silence();
    await publish([publishedEvent(testEvent('order.paid', 3000), 1)]);
    await vi.waitFor(
      async () =>
        expect(await readiness(role)).toMatchObject({ status: 503, text: expect.stringContaining('bigquery') }),
      patience,
    );
    bigQueryProxy.resume();
    await vi.waitFor(async () => expect((await warehouseCounts(config, names)).events).toBe(1), patience);
  });

  test('holds no more than its bound while BigQuery is down, and loses nothing', async () => {
    const heldMax = 30;
    const role = await start({ ORDERMESH_WAREHOUSE_OUTSTANDING_MESSAGES_MAX: heldMax });
    await vi.waitFor(async () => expect((await readiness(role)).status).toBe(200), patience);
    bigQueryProxy.interrupt();
    await publish(Array.from({ length: 200 }, (_, index) => publishedEvent(testEvent('order.paid', 3000), index)));
    await vi.waitFor(async () => expect(await metric(role, 'held_messages')).toBe(heldMax), patience);
    await vi.waitFor(
      async () =>
        expect(await readiness(role)).toMatchObject({ status: 503, text: expect.stringContaining('bigquery') }),
      patience,
    );
    await failedInserts(role);
    expect(await metric(role, 'held_messages')).toBe(heldMax);
    bigQueryProxy.resume();
    await vi.waitFor(async () => expect((await warehouseEvents(config, 0, names)).ids.size).toBe(200), patience);
    await vi.waitFor(async () => expect(await metric(role, 'held_messages')).toBe(0), patience);
  });

  test('a pull stream that ends while BigQuery is down brings no more than its bound again', async () => {
    const heldMax = 10;
    const role = await start({ ORDERMESH_WAREHOUSE_OUTSTANDING_MESSAGES_MAX: heldMax });
    await vi.waitFor(async () => expect((await readiness(role)).status).toBe(200), patience);
    bigQueryProxy.interrupt();
    const paid = (count: number) =>
      Array.from({ length: count }, (_, n) => publishedEvent(testEvent('order.paid', 3000), n));
    await publish(paid(20));
    await vi.waitFor(async () => expect(await metric(role, 'held_messages')).toBe(heldMax), patience);
    await using pubSub = new Closing(
      createPubSub({ project: config.GOOGLE_CLOUD_PROJECT, pubSubEmulator: config.PUBSUB_EMULATOR_HOST }),
    );
    await pubSub.client.subscription(names.warehouseSubscription).delete();
    await vi.waitFor(
      async () =>
        expect((await readiness(role)).text).toContain('10 messages of a stream that has ended are still held'),
      patience,
    );
    const later = paid(20);
    await publish(later);
    expect(await metric(role, 'held_messages')).toBe(heldMax);
    bigQueryProxy.resume();
    await vi.waitFor(async () => {
      const { ids } = await warehouseEvents(config, 0, names);
      expect(later.filter(({ attributes }) => !ids.has(attributes.id ?? ''))).toEqual([]);
    }, patience);
    const scrape = await (await fetch(`${role.addresses.admin}/metrics`)).text();
    expect(scrape).toMatch(/^ordermesh_google_cloud_remade_total\S* 1$/m);
  });

  test('makes its tables again when BigQuery has lost them', async () => {
    await start();
    await publish([publishedEvent(testEvent('order.paid', 3000), 1)]);
    await vi.waitFor(async () => expect((await warehouseCounts(config, names)).events).toBe(1), patience);
    await deleteDataset(config, names);
    await publish([publishedEvent(testEvent('order.paid', 3000), 2)]);
    await vi.waitFor(async () => expect((await warehouseCounts(config, names)).events).toBe(1), patience);
  });

  test('a message whose batch was in flight when the process stopped comes again', async () => {
    bigQueryProxy.interrupt();
    const first = await start();
    await publish([publishedEvent(testEvent('order.paid', 3000), 1)]);
    await vi.waitFor(async () => expect(await metric(first, 'held_messages')).toBe(1), patience);
    await failedInserts(first);
    await first.close();
    bigQueryProxy.resume();
    await start();
    await vi.waitFor(async () => expect((await warehouseCounts(config, names)).events).toBe(1), patience);
  });
});

async function metric(role: RunningRole, name: string): Promise<number> {
  const text = await (await fetch(`${role.addresses.admin}/metrics`)).text();
  return Number(new RegExp(`^ordermesh_warehouse_${name}\\S* (\\d+)$`, 'm').exec(text)?.[1]);
}

/** Until the insert has failed so often that an acknowledgement sent too early would have gone out long ago. */
async function failedInserts(role: RunningRole): Promise<void> {
  await vi.waitFor(async () => expect(await metric(role, 'insert_failures_total')).toBeGreaterThan(4), patience);
}

async function readiness(role: RunningRole): Promise<{ status: number; text: string }> {
  const response = await fetch(`${role.addresses.admin}/readyz`);
  return { status: response.status, text: await response.text() };
}

class Closing<T extends { close(): Promise<unknown> }> {
  readonly client: T;
  constructor(client: T) {
    this.client = client;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}
