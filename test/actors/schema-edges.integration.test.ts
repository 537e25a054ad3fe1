import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, expect, test, vi } from 'vitest';
import { type WorkerRole, workerRoles } from '../../actors/roles.ts';
import { startBridge } from '../../bridge/bridge.ts';
import { createLoyaltyHandler } from '../../bridge/loyalty/loyalty-handler.ts';
import { startWarehouse } from '../../bridge/warehouse/warehouse.ts';
import { warehouseEvents } from '../../bridge/warehouse/warehouse-events.ts';
import { systemClock } from '../../contracts/clock.ts';
import { limits } from '../../contracts/limits.ts';
import type { Order } from '../../contracts/order/order.ts';
import { deadLetterTopic } from '../../contracts/topics.ts';
import { startDisplay } from '../../display/server.ts';
import { openGrpc } from '../../gateway/grpc/server.ts';
import { createKafkaIntake } from '../../gateway/orders/kafka-intake.ts';
import { startIntakeServer } from '../../gateway/server.ts';
import { createAdmin, createProducer, readTopic } from '../../kafka/index.ts';
import { startRuntime } from '../../runtime/host/host.ts';
import { runtimeLimits } from '../../runtime/host/host-options.ts';
import { BoundedPool } from '../../store/database/bounded-pool.ts';
import { auditDatabase, type OrderEffects } from '../../store/orders/audit.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { deleteDataset, describeGoogleCloud, query, testConfig, testNames } from '../bridge/cloud.ts';
import { TestScreen } from '../display/test-screen.ts';
import { GrpcClient, orderMessage } from '../gateway/grpc/client.ts';
import { testServer } from '../gateway/support.ts';
import { createTestDatabase, kafkaEnvironment, servers, uniqueName } from '../support/servers.ts';
import type { RenamedTopicsSettings, RoleSettings } from './renamed-topics-actor.ts';
import { edgeMenu, edgeOrder, edgeStores, heaviestOrder, largestOrder } from './schema-orders.ts';

/** `SCHEMA_SEED=n` repeats a run. */
const seed = Number(process.env.SCHEMA_SEED ?? randomInt(2 ** 31));
const ORDERS = 100;
const patience = { timeout: 120_000, interval: 250 };
const logger = createLogger('test', process.env.TEST_LOG ?? 'silent');
const { cluster } = servers();

describeGoogleCloud('what passes the door can be finished', () => {
  const stack = new AsyncDisposableStack();
  afterAll(() => stack.disposeAsync());

  test(`every order at the edges of the schema goes through all roles, seed ${seed}`, async () => {
    const [raw, validated, rejected] = ['raw', 'validated', 'rejected'].map(uniqueName) as [string, string, string];
    const inputs: Record<WorkerRole, string> = { 'order-validator': raw, payment: validated, kitchen: validated };
    const groups = { ...inputs, bridge: validated };
    for (const role of Object.keys(groups) as (keyof typeof groups)[]) groups[role] = uniqueName(role);
    const deadLetterTopics = [
      ...workerRoles.map((role) => deadLetterTopic(inputs[role], groups[role])),
      deadLetterTopic(validated, groups.bridge),
    ];
    const database = stack.use(await createTestDatabase());
    await loadMenu(database.sql, edgeMenu());
    const admin = stack.adopt(await createAdmin({ clientId: 'test', cluster }), (client) => client.close());
    const names = [raw, validated, rejected, ...deadLetterTopics];
    await admin.createTopics(names.map((topic) => ({ topic, partitions: 3, replicationFactor: 1 })));
    stack.defer(() => admin.deleteTopics(names));

    const actorSettings: RoleSettings = {
      'order-validator': {
        windowSeconds: 600,
        customerOrdersMax: 1_000,
        cardOrdersMax: 1_000,
        amountMax: limits.amountMax,
        menuWindowMs: 86_400_000,
      },
      payment: {
        provider: 'simulated',
        database: database.url,
        latencyMeanMs: 1,
        latencyMsMax: 2,
        declineRate: 0,
        timeoutRate: 0,
        callMsMax: 5_000,
      },
      kitchen: {},
    };
    const config = testConfig({
      ...kafkaEnvironment(),
      DATABASE_URL: database.url,
      ORDERMESH_SLOTS: '1',
      ORDERMESH_BRIDGE_MIN_TOTAL: '0',
      ORDERMESH_DISPLAY_PORT: '0',
    });
    for (const role of workerRoles) {
      const runtime = await startRuntime({
        role,
        logger,
        group: groups[role],
        topic: inputs[role],
        cluster,
        database: database.url,
        actorModule: new URL('./renamed-topics-actor.ts', import.meta.url),
        settings: {
          role,
          settings: actorSettings[role],
          topics: { 'validated-orders': validated, 'rejected-orders': rejected },
        } satisfies RenamedTopicsSettings,
        slots: 1,
        limits: runtimeLimits(config),
      });
      stack.defer(() => runtime.close());
    }
    const googleCloud = testNames();
    const bridge = await startBridge(config, logger, { topic: validated, group: groups.bridge, names: googleCloud });
    stack.defer(() => bridge.close());
    stack.defer(() => deleteDataset(config, googleCloud));
    const warehouse = await startWarehouse(config, logger, googleCloud);
    stack.defer(() => warehouse.close());
    const display = await startDisplay(config, logger, { topic: validated });
    stack.defer(() => display.close());
    const screens = new Map<string, TestScreen>();
    for (const { storeId } of edgeStores) {
      const screen = await TestScreen.open(display.addresses.display ?? '', storeId);
      screens.set(storeId, stack.use(screen));
    }
    const producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 20_000 });
    const gateway = await testServer({}, (gatewayConfig) =>
      startIntakeServer({
        config: gatewayConfig,
        logger,
        role: 'gateway',
        intake: createKafkaIntake({
          producer: {
            unanswered: producer.unanswered,
            append: (record, done) => producer.append({ ...record, topic: raw }, done),
            send: (records) => producer.send(records),
            close: () => producer.close(),
          },
          health: { reason: noReason, outage: noReason, suspect() {}, confirm: () => true, close() {} },
          logger,
          clock: systemClock,
          source: '/ordermesh/test',
        }),
        openTransport: openGrpc(gatewayConfig),
      }),
    );
    stack.use(gateway);

    const orders = fc.sample(edgeOrder, { seed, numRuns: ORDERS });
    orders.push(largestOrder(crypto.randomUUID()), heaviestOrder(crypto.randomUUID()));
    const isRepeated = new Set<string>();
    const placed = orders.filter(({ orderId }) => !isRepeated.has(orderId) && isRepeated.add(orderId));
    const tokens = new Map<string, string>();
    for (const { storeId } of edgeStores) tokens.set(storeId, await gateway.bearer({ store: storeId }));
    for (const [index, order] of placed.entries()) {
      const authorization = tokens.get(order.storeId) ?? '';
      // One in four as JSON in ASCII, as many programs write it, and one in four over gRPC.
      if (index % 4 === 3) {
        using client = new GrpcClient(gateway.role.addresses.grpc ?? '', authorization);
        expect(await client.submit(orderMessage(order)), describe(order)).toMatchObject({ code: 0 });
      } else {
        const body = JSON.stringify(order);
        const answer = await gateway.post(index % 4 === 2 ? inAscii(body) : body, { authorization });
        expect(answer.status, `${describe(order)} ${answer.text}`).toBe(202);
      }
    }

    const effects = new Map<string, OrderEffects>();
    await vi.waitFor(async () => {
      await noneParked();
      const audit = await auditDatabase(database.sql, {
        onEffects: (rows) => {
          for (const row of rows) effects.set(row.orderId, row);
        },
      });
      expect(audit.faults).toEqual([]);
      expect(placed.filter(({ orderId }) => !isFinished(effects.get(orderId))).map(describe)).toEqual([]);
    }, patience);
    const paid = placed.filter(({ orderId }) => effects.get(orderId)?.payment === 'paid');
    const failed = placed.filter(({ orderId }) => effects.get(orderId)?.payment === 'failed');
    const refused = placed.filter(({ orderId }) => effects.get(orderId)?.decision === 'rejected');
    // The orders that no other exceeds: one is rejected with its reason, the other is cooked.
    expect(refused).toContain(placed.at(-2));
    expect(paid).toContain(placed.at(-1));
    for (const some of [paid, failed, refused]) expect(some.length).toBeGreaterThan(3);

    for (const order of paid) await shown(order);
    await vi.waitFor(async () => {
      await noneParked();
      const { ids, parked } = await warehouseEvents(config, 0, googleCloud);
      expect([ids.size, parked]).toEqual([paid.length + failed.length, 0]);
    }, patience);
    const payloads = new Map<unknown, unknown>();
    const table = `${config.GOOGLE_CLOUD_PROJECT}.${googleCloud.dataset}.order_events`;
    for (const row of await query(config, `select event_id, to_json_string(payload) as payload from \`${table}\``)) {
      const { event_id: id, payload } = row as { event_id: unknown; payload: string };
      payloads.set(id, JSON.parse(payload));
    }
    await using pool = loyaltyPool(database.url);
    const points = createLoyaltyHandler({ pool, unitsPerPoint: 1 });
    await readTopic({ cluster, topic: validated }, async ({ headers, value }) => {
      const { ce_id: id, ce_type: type } = headers;
      if (type?.toString() === 'order.validated' || value === null) return;
      expect(payloads.get(id?.toString())).toEqual(JSON.parse(value.toString()));
      const attributes = { id: id?.toString(), type: type?.toString() };
      await points({
        id: 'x',
        data: { message: { messageId: id?.toString(), data: value.toString('base64'), attributes } },
      });
    });
    expect(await database.sql`select reason from loyalty_refused`).toEqual([]);
    await noneParked();

    async function noneParked(): Promise<void> {
      expect(await database.sql`select key, consumer_group from parked_keys`, `seed ${seed}`).toEqual([]);
      for (const topic of deadLetterTopics)
        for (const { latest } of await admin.offsets(topic)) expect(latest, `dead letters in ${topic}`).toBe(0);
    }

    /** The order's ticket is on its store's screen, with every line and every note to the letter. */
    async function shown({ orderId, storeId, items }: Order): Promise<void> {
      const ticket = await screens.get(storeId)?.ticket(orderId);
      expect(ticket?.lines.map(({ quantity, note }) => ({ quantity, note }))).toEqual(
        items.map(({ quantity, note }) => ({ quantity, note })),
      );
      expect(ticket?.lines.map(({ modifiers }) => modifiers.map(({ quantity }) => quantity))).toEqual(
        items.map(({ modifiers = [] }) => modifiers.map(({ quantity = 1 }) => quantity)),
      );
    }
  }, 360_000);
});

function noReason(): undefined {}

function isFinished(effects: OrderEffects | undefined): boolean {
  return effects?.decision === 'rejected' || effects?.payment === 'failed' || effects?.ticket === true;
}

function describe(order: Order): string {
  return `seed ${seed}: ${JSON.stringify(order).slice(0, 1_000)}`;
}

function inAscii(json: string): string {
  return json.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function loyaltyPool(url: string): BoundedPool & AsyncDisposable {
  const pool = new BoundedPool({ server: url, connections: 2, application: 'test', answerMsMax: 30_000 });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.close() });
}
