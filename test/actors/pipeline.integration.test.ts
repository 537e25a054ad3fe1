import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { WorkerRole } from '../../actors/roles.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { deadLetterTopic } from '../../contracts/topics.ts';
import { createAdmin, createProducer } from '../../kafka/index.ts';
import { startRuntime } from '../../runtime/host/host.ts';
import { runtimeLimits } from '../../runtime/host/host-options.ts';
import { auditDatabase, type OrderEffects } from '../../store/orders/audit.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createTestDatabase, servers, uniqueName } from '../support/servers.ts';
import type { RenamedTopicsSettings, RoleSettings } from './renamed-topics-actor.ts';
import { testMenu, testOrder } from './support.ts';

const stack = new AsyncDisposableStack();
const { cluster } = servers();
const [raw, validated, rejected] = ['raw', 'validated', 'rejected'].map(uniqueName) as [string, string, string];
const groups: Record<WorkerRole, string> = {
  'order-validator': uniqueName('order-validator'),
  payment: uniqueName('payment'),
  kitchen: uniqueName('kitchen'),
};
const inputs: Record<WorkerRole, string> = { 'order-validator': raw, payment: validated, kitchen: validated };
let database: Awaited<ReturnType<typeof createTestDatabase>>;

beforeAll(async () => {
  database = stack.use(await createTestDatabase());
  await loadMenu(database.sql, testMenu());
  const admin = await createAdmin({ clientId: 'test', cluster });
  const names = [raw, validated, rejected, ...roles().map((role) => deadLetterTopic(inputs[role], groups[role]))];
  await admin.createTopics(names.map((topic) => ({ topic, partitions: 3, replicationFactor: 1 })));
  stack.defer(async () => {
    await admin.deleteTopics(names);
    await admin.close();
  });
}, 90_000);
afterAll(() => stack.disposeAsync());

const roles = () => Object.keys(groups) as WorkerRole[];

async function start(role: WorkerRole): Promise<void> {
  const settings: RoleSettings = {
    'order-validator': {
      windowSeconds: 600,
      customerOrdersMax: 99,
      cardOrdersMax: 99,
      amountMax: 50_000,
      menuWindowMs: 86_400_000,
    },
    payment: {
      provider: 'simulated',
      database: database.url,
      latencyMeanMs: 2,
      latencyMsMax: 10,
      declineRate: 0,
      timeoutRate: 0.05,
      callMsMax: 5_000,
    },
    kitchen: {},
  };
  const runtime = await startRuntime({
    role,
    logger: createLogger(role, process.env.TEST_LOG ?? 'silent'),
    group: groups[role],
    topic: inputs[role],
    cluster,
    database: database.url,
    actorModule: new URL('./renamed-topics-actor.ts', import.meta.url),
    settings: {
      role,
      settings: settings[role],
      topics: { 'validated-orders': validated, 'rejected-orders': rejected },
    } satisfies RenamedTopicsSettings,
    slots: 2,
    limits: runtimeLimits(loadConfig({})),
  });
  stack.defer(() => runtime.close());
}

test('takes every order through validation, payment and kitchen, once', async () => {
  await Promise.all(roles().map(start));
  const producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 20_000 });
  stack.defer(() => producer.close());
  const good = Array.from({ length: 150 }, () => testOrder());
  const cash = Array.from({ length: 20 }, () => testOrder({ payment: { method: 'cash' } }));
  const declined = Array.from({ length: 20 }, () => testOrder({ payment: { method: 'card', token: 'tok_decline_x' } }));
  const wrong = Array.from({ length: 20 }, () => testOrder({ total: 1 }));
  const all = [...good, ...cash, ...declined, ...wrong];
  // Everything comes twice, as after a lost acknowledgement.
  const records = [...all, ...all].map((order) => ({ topic: raw, key: order.orderId, value: JSON.stringify(order) }));
  const poison = testOrder().orderId;
  await producer.send([{ topic: raw, key: poison, value: '{"orderId":' }, ...records]);

  const effects = new Map<string, OrderEffects>();
  await vi.waitFor(
    async () => {
      const audit = await auditDatabase(database.sql, {
        onEffects: (rows) => {
          for (const row of rows) effects.set(row.orderId, row);
        },
      });
      expect(audit).toMatchObject({
        validated: 190,
        rejected: 20,
        paid: 170,
        paymentFailed: 20,
        tickets: 170,
        conflicts: 0,
      });
      expect(audit.faults).toEqual([]);
    },
    { timeout: 45_000, interval: 200 },
  );
  // An order of one piece: those that are not paid have given it back.
  expect(await database.sql`select sum(loaded - on_hand)::int as taken from inventory`).toEqual([{ taken: 170 }]);
  const outcome = ({ orderId }: { orderId: string }) => {
    const found = effects.get(orderId);
    return `${found?.decision} ${found?.payment} ${found?.charges} ${found?.ticket}`;
  };
  expect(new Set(good.map(outcome))).toEqual(new Set(['validated paid 1 true']));
  expect(new Set(cash.map(outcome))).toEqual(new Set(['validated paid 0 true']));
  expect(new Set(declined.map(outcome))).toEqual(new Set(['validated failed 0 false']));
  expect(new Set(wrong.map(outcome))).toEqual(new Set(['rejected null 0 false']));
  await vi.waitFor(
    async () => {
      const parked = await database.sql`select key, consumer_group from parked_keys`;
      expect(parked).toEqual([{ key: poison, consumer_group: groups['order-validator'] }]);
    },
    { timeout: 20_000 },
  );
}, 90_000);
