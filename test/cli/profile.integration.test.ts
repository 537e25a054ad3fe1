import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { deadLetterTopic } from '../../contracts/topics.ts';
import { createAdmin, createProducer } from '../../kafka/index.ts';
import { startWorkerRole } from '../../runtime/index.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { readFlameFile } from '../../telemetry/flame/read-file.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { RenamedTopicsSettings } from '../actors/renamed-topics-actor.ts';
import { testMenu, testOrder } from '../actors/support.ts';
import { ordermesh } from '../support/ordermesh.ts';
import { createTestDatabase, kafkaEnvironment, servers, uniqueName } from '../support/servers.ts';

const stack = new AsyncDisposableStack();
const { cluster } = servers();
const [raw, validated, rejected] = ['raw', 'validated', 'rejected'].map(uniqueName) as [string, string, string];
const group = uniqueName('order-validator');
let directory: string;
let adminUrl: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-flame-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const database = stack.use(await createTestDatabase());
  await loadMenu(database.sql, testMenu({ stock: { default: 1_000_000 } }));
  const admin = await createAdmin({ clientId: 'test', cluster });
  const names = [raw, validated, rejected, deadLetterTopic(raw, group)];
  await admin.createTopics(names.map((topic) => ({ topic, partitions: 4, replicationFactor: 1 })));
  stack.defer(async () => {
    await admin.deleteTopics(names);
    await admin.close();
  });
  const role = await startWorkerRole({
    role: 'order-validator',
    config: loadConfig({
      ...kafkaEnvironment(),
      DATABASE_URL: database.url,
      ORDERMESH_ADMIN_PORT: '0',
      ORDERMESH_SLOTS: '2',
    }),
    logger: createLogger('order-validator', process.env.TEST_LOG ?? 'silent'),
    topic: raw,
    group,
    actorModule: new URL('../actors/renamed-topics-actor.ts', import.meta.url),
    settings: {
      role: 'order-validator',
      settings: {
        windowSeconds: 600,
        customerOrdersMax: 1e6,
        cardOrdersMax: 1e6,
        amountMax: 50_000,
        menuWindowMs: 86_400_000,
      },
      topics: { 'validated-orders': validated, 'rejected-orders': rejected },
    } satisfies RenamedTopicsSettings,
  });
  stack.defer(() => role.close());
  adminUrl = role.addresses.admin ?? '';
}, 120_000);
afterAll(() => stack.disposeAsync());

/** Sends orders until the work is done. */
async function underLoad<T>(work: Promise<T>): Promise<T> {
  const producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 20_000 });
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  // The caller sees how it ended.
  done.catch(() => {});
  while (!over) {
    const orders = Array.from({ length: 500 }, () => testOrder());
    await producer.send(orders.map((order) => ({ topic: raw, key: order.orderId, value: JSON.stringify(order) })));
  }
  await producer.close();
  return done;
}

test('the flame graph of a worker under load has its threads, and below them its stages', async () => {
  const command = ['profile', 'order-validator', '--admin', adminUrl, '--seconds', '4', '--out', directory, '--json'];
  const { code, stdout, stderr } = await underLoad(ordermesh(command));
  expect(stderr).toContain('sampling order-validator');
  expect(code).toBe(0);
  const report = JSON.parse(stdout);
  expect(report.work.perSecond).toBeGreaterThan(0);
  const { flame } = await readFlameFile(report.speedscope);
  const stages = new Map(
    flame.root.children.map(({ frame, children }) => [frame.name, children.map((stage) => stage.frame.name)]),
  );
  expect([...stages.keys()]).toEqual(expect.arrayContaining(['main', 'slot 0', 'slot 1']));
  expect(stages.get('main')).toEqual(expect.arrayContaining(['fetch', 'transfer']));
  for (const slot of ['slot 0', 'slot 1'])
    expect(stages.get(slot)).toEqual(expect.arrayContaining(['decode', 'decide', 'store', 'encode', 'produce']));
}, 120_000);
