import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../contracts/config/config.ts';
import { deadLetterTopic } from '../../contracts/topics.ts';
import { type Admin, createAdmin, createConsumer, createProducer, type FetchedRecord } from '../../kafka/index.ts';
import { type Runtime, startRuntime } from '../../runtime/host/host.ts';
import { type RuntimeLimits, runtimeLimits } from '../../runtime/host/host-options.ts';
import type { Database } from '../../store/database/database.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createTestDatabase, servers, type TestDatabase, uniqueName } from '../support/servers.ts';
import type { EffectsSettings, Order } from './actors/effects-actor.ts';

export const effectsActor = new URL('./actors/effects-actor.ts', import.meta.url);

export interface Scene extends AsyncDisposable {
  topic: string;
  group: string;
  deadLetters: string;
  database: TestDatabase;
  admin: Admin;
  send(orders: (Order & { key: string })[]): Promise<void>;
  start(options?: Partial<StartOptions>): Promise<Runtime>;
}

export interface StartOptions {
  database: string | undefined;
  actorModule: URL;
  settings: EffectsSettings;
  limits: RuntimeLimits;
  slotMemoryMbMax: number;
  slotSilenceMsMax: number;
}

/** A topic, its dead-letter topic and a database for one test. On dispose everything that runs on them is stopped. */
export async function createScene(partitions = 12, deadLetterConfig: Record<string, string> = {}): Promise<Scene> {
  const { cluster } = servers();
  const topic = uniqueName('runtime');
  const group = uniqueName('group');
  const deadLetters = deadLetterTopic(topic, group);
  const admin = await createAdmin({ clientId: 'test', cluster });
  await admin.createTopics([
    { topic, partitions, replicationFactor: 1 },
    { topic: deadLetters, partitions, replicationFactor: 1, config: deadLetterConfig },
  ]);
  const producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 20_000 });
  const database = await createTestDatabase();
  await database.sql`create table effects (id text primary key, key text, n integer, written bigserial)`;
  await database.sql`create table applications (process integer, written bigserial)`;
  const runtimes: Runtime[] = [];
  return {
    topic,
    group,
    deadLetters,
    database,
    admin,
    send: (orders) =>
      producer.send(
        orders.map(({ key, ...order }) => ({ topic, key, value: JSON.stringify(order), headers: { trace: 't-1' } })),
      ),
    async start(options = {}) {
      const runtime = await startRuntime({
        ...runtimeOptions(topic, group, database.url),
        ...options,
      });
      runtimes.push(runtime);
      return runtime;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(runtimes.map((runtime) => runtime.close()));
      await producer.close();
      await admin.deleteTopics([topic, deadLetters]);
      await admin.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

export function runtimeOptions(topic: string, group: string, database: string) {
  return {
    role: 'runtime-test',
    logger: createLogger('runtime-test', process.env.TEST_LOG ?? 'silent'),
    group,
    topic,
    cluster: servers().cluster,
    database,
    actorModule: effectsActor,
    settings: {} as EffectsSettings,
    slots: 2,
    limits: testLimits(),
    sessionTimeoutMs: 6_000,
  };
}

/** Short waits, so that three retries take only a moment. */
export function testLimits(): RuntimeLimits {
  return runtimeLimits(
    loadConfig({ ORDERMESH_RETRY_BACKOFF: '20ms', ORDERMESH_COMMIT_INTERVAL: '50ms', ORDERMESH_DRAIN_TIMEOUT: '2s' }),
  );
}

/** `count` orders over `keys` keys, numbered within each key. */
export function ordersOver(keys: number, count: number): (Order & { key: string })[] {
  return Array.from({ length: count }, (_, index) => ({ key: `key-${index % keys}`, n: Math.floor(index / keys) }));
}

/** The numbers of each key's effects, in the order in which they were written. */
export async function effectsByKey(sql: Database): Promise<Map<string, number[]>> {
  const rows = await sql<{ key: string; n: number }[]>`select key, n from effects order by written`;
  return grouped(rows.map(({ key, n }) => [key, n]));
}

export function grouped<T>(pairs: (readonly [string, T])[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
}

export async function effectCount(sql: Database): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::integer as count from effects`;
  return row?.count ?? 0;
}

/**
 * Waits until the condition holds.
 * @throws after `timeoutMs`, with the last value
 */
export async function until<T>(
  read: () => T | Promise<T>,
  holds: (value: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`gave up waiting; last: ${JSON.stringify(value)}`);
    await sleep(25);
  }
}

export interface ReadRecord extends FetchedRecord {
  partition: number;
}

/** All records in a topic now, each partition in its order. */
export async function readTopic(admin: Admin, topic: string): Promise<ReadRecord[]> {
  const total = (await admin.offsets(topic)).reduce((sum, { earliest, latest }) => sum + latest - earliest, 0);
  const records: ReadRecord[] = [];
  if (total === 0) return records;
  const all = Promise.withResolvers<void>();
  const consumer = await createConsumer(
    { clientId: 'test-reader', cluster: servers().cluster, groupId: uniqueName('reader'), topics: [topic] },
    {
      onAssigned: async () => {},
      onRevoked: async () => {},
      onLost: () => {},
      onBatch(batch) {
        for (const record of batch.records) records.push({ ...fields(record), partition: batch.partition });
        if (records.length >= total) all.resolve();
      },
    },
  );
  await all.promise;
  await consumer.close();
  return records;
}

function fields({ offset, timestamp, key, value, headers }: FetchedRecord): FetchedRecord {
  return { offset, timestamp, key, value, headers };
}

/** Committed position and end of each partition. */
export async function committedTotal(scene: Scene): Promise<number> {
  const committed = await scene.admin.committedOffsets(scene.group, scene.topic);
  return [...committed.values()].reduce((sum, offset) => sum + offset, 0);
}
