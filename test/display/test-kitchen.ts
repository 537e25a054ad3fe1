import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import { eventId, type OrderKitchen, type OrderPaid, type OrderValidated } from '../../contracts/events.ts';
import { eventHeaders } from '../../contracts/headers.ts';
import { type Order, orderTotal } from '../../contracts/order/order.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { type DisplayOptions, startDisplay } from '../../display/server.ts';
import { createAdmin, createProducer, type RecordProducer, readTopic } from '../../kafka/index.ts';
import { chainMenu } from '../../lab/traffic/chain.ts';
import { type Runtime, startRuntime } from '../../runtime/host/host.ts';
import { runtimeLimits } from '../../runtime/host/host-options.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createTestDatabase, kafkaEnvironment, servers, type TestDatabase, uniqueName } from '../support/servers.ts';

const logger = createLogger('test', process.env.TEST_LOG ?? 'silent');
const PARTITIONS = 2;

export const STORE = 'us-il-0001';

export interface KitchenEvent {
  id: string;
  type: string;
  headers: Record<string, string>;
  key: string;
  value: OrderKitchen;
}

/** A display for tests, with a topic of its own, the real kitchen actor, and a database with the chain's menu. */
export class TestKitchen implements AsyncDisposable {
  readonly database: TestDatabase;
  readonly topic: string;
  readonly producer: RecordProducer;
  readonly runtime: Runtime;
  display: RunningRole;
  readonly #config: Config;

  private constructor(parts: {
    database: TestDatabase;
    topic: string;
    producer: RecordProducer;
    runtime: Runtime;
    display: RunningRole;
    config: Config;
  }) {
    this.database = parts.database;
    this.topic = parts.topic;
    this.producer = parts.producer;
    this.runtime = parts.runtime;
    this.display = parts.display;
    this.#config = parts.config;
  }

  static async start(variables: Record<string, string> = {}): Promise<TestKitchen> {
    const { cluster } = servers();
    const database = await createTestDatabase();
    await loadMenu(database.sql, chainMenu());
    const topic = uniqueName('kitchen');
    const admin = await createAdmin({ clientId: 'test', cluster });
    await admin.createTopics(
      [topic, `${topic}.${topic}.dlt`].map((name) => ({ topic: name, partitions: PARTITIONS, replicationFactor: 1 })),
    );
    await admin.close();
    const config = loadConfig({
      ...kafkaEnvironment(),
      DATABASE_URL: database.urlAs('display'),
      // A fixed port instead of 0, because a restarted display must use the same port.
      ORDERMESH_DISPLAY_PORT: String(await freePort()),
      ORDERMESH_ADMIN_PORT: '0',
      ...variables,
    });
    const runtime = await startRuntime({
      role: 'kitchen',
      logger,
      group: topic,
      topic,
      cluster,
      database: database.url,
      actorModule: new URL('../../actors/kitchen/actor.ts', import.meta.url),
      settings: {},
      slots: 1,
      limits: runtimeLimits(config),
    });
    const producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 10_000 });
    const display = await startDisplay(config, logger, { topic, stages: [{ group: topic, topic }] });
    return new TestKitchen({ database, topic, producer, runtime, display, config });
  }

  get url(): string {
    return this.display.addresses.display ?? '';
  }

  get adminUrl(): string {
    return this.display.addresses.admin ?? '';
  }

  /** Stops the display and starts it again on the same port, as an upgrade would. */
  async restartDisplay(pause: () => Promise<void>): Promise<void> {
    await this.display.close();
    try {
      await pause();
    } finally {
      this.display = await this.startDisplay({});
    }
  }

  /** Another display beside the first, with some of its configuration changed. */
  startDisplay(changes: Partial<Config>, options: DisplayOptions = {}): Promise<RunningRole> {
    return startDisplay({ ...this.#config, ...changes }, logger, {
      topic: this.topic,
      stages: [{ group: this.topic, topic: this.topic }],
      ...options,
    });
  }

  /** Writes `order.paid`, which makes the ticket. */
  async pay(...orders: Order[]): Promise<void> {
    await this.producer.send(
      orders.map((order) => {
        const { payment, ...rest } = order;
        const event: OrderPaid = {
          orderId: order.orderId,
          storeId: order.storeId,
          occurredAt: order.placedAt,
          total: order.total,
          currency: order.currency,
          order: { ...rest, payment: { method: payment.method } },
          payment: { method: payment.method, reference: 'test' },
        };
        return this.#record('order.paid', order.orderId, event);
      }),
    );
  }

  /** Writes `order.validated`, which must not make a ticket. */
  async validate(order: Order): Promise<void> {
    const { orderId, storeId, total, currency, placedAt: occurredAt } = order;
    await this.producer.send([
      this.#record('order.validated', orderId, { orderId, storeId, total, currency, occurredAt, order }),
    ]);
  }

  /** The kitchen's events of an order, from the topic. */
  async events(orderId: string): Promise<KitchenEvent[]> {
    const events: KitchenEvent[] = [];
    await readTopic({ cluster: servers().cluster, topic: this.topic }, (record) => {
      const headers = Object.fromEntries(
        Object.entries(record.headers).map(([name, value]) => [name, value.toString()]),
      );
      const type = headers.ce_type ?? '';
      if (record.key?.toString() !== orderId || type === 'order.paid' || type === 'order.validated') return;
      events.push({
        id: headers.ce_id ?? '',
        type,
        headers,
        key: record.key.toString(),
        value: JSON.parse(record.value?.toString() ?? 'null'),
      });
    });
    return events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.display.close();
    await this.runtime.close();
    await this.producer.close();
    await this.database[Symbol.asyncDispose]();
    const admin = await createAdmin({ clientId: 'test', cluster: servers().cluster });
    await admin.deleteTopics([this.topic, `${this.topic}.${this.topic}.dlt`]);
    await admin.close();
  }

  #record(type: 'order.paid' | 'order.validated', orderId: string, event: OrderPaid | OrderValidated) {
    return {
      topic: this.topic,
      key: orderId,
      value: JSON.stringify(event),
      headers: eventHeaders({
        id: eventId(orderId, type),
        type,
        source: '/ordermesh/test',
        time: event.occurredAt,
        subject: orderId,
      }),
    };
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** A plain order: a burger with changes, fries, a note. */
export function testOrder(changes: Partial<Order> = {}): Order {
  const order: Order = {
    orderId: randomUUID(),
    storeId: STORE,
    channel: 'drive-thru',
    placedAt: new Date().toISOString(),
    currency: 'USD',
    items: [
      {
        sku: 'double-cheeseburger',
        quantity: 2,
        unitPrice: 599,
        modifiers: [
          { sku: 'add-bacon', unitPrice: 120 },
          { sku: 'no-onion', unitPrice: 0 },
        ],
        note: 'cut in half',
      },
    ],
    total: 0,
    payment: { method: 'card', token: 'tok_visa' },
    ...changes,
  };
  return { ...order, total: orderTotal(order) };
}
