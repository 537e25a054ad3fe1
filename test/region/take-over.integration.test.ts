import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { validatedOutputs } from '../../actors/order-validator/outputs.ts';
import { paymentOutputs } from '../../actors/payment/outputs.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { OrderValidated } from '../../contracts/events.ts';
import type { Order } from '../../contracts/order/order.ts';
import { deadLetterTopic, groups, topics } from '../../contracts/topics.ts';
import { createRegionAdmin } from '../../kafka/admin/region-admin.ts';
import { createAdmin, createProducer, createTopicLog } from '../../kafka/index.ts';
import { restoreFromLog } from '../../region/operations/restore.ts';
import { restoreLetters } from '../../region/operations/restore-letters.ts';
import { closeGaps } from '../../region/start-positions.ts';
import { startRuntime } from '../../runtime/host/host.ts';
import { runtimeLimits } from '../../runtime/host/host-options.ts';
import { knownUntil } from '../../store/database/standby.ts';
import { requestReplay } from '../../store/dead-letters/dead-letter-acts.ts';
import { type DeadLetter, readDeadLetters, recordDeadLetter } from '../../store/dead-letters/dead-letters.ts';
import { loadParkedKeys, parkKey } from '../../store/dead-letters/parked-keys.ts';
import { auditDatabase } from '../../store/orders/audit.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { findDecisions } from '../../store/orders/orders.ts';
import { claimEpochs } from '../../store/partitions/epochs.ts';
import { enterLogs } from '../../store/partitions/partition-logs.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { orderMessage, testMenu, testMessage, testOrder } from '../actors/support.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { startTwoClusters, type TwoClusters } from './clusters.ts';

const decidedAt = new Date(Date.now() - 5_000);
/** What was copied: of `raw` the order only, of `validated` its decision too, of `paid` everything. */
const orders = { paid: testOrder(), validated: testOrder(), raw: testOrder() };

let clusters: TwoClusters;
let cluster: KafkaCluster;
beforeAll(async () => {
  clusters = await startTwoClusters();
  cluster = clusters.kafka.west;
  const producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 10_000 });
  for (const order of Object.values(orders)) {
    const value = JSON.stringify(order);
    await producer.send([{ topic: topics.rawOrders, key: order.orderId, value, partition: 0 }]);
  }
  for (const { key, ...output } of [
    ...decisionOf(orders.paid),
    ...paymentOf(orders.paid),
    ...decisionOf(orders.validated),
  ])
    await producer.send([{ ...output, key, partition: 0 }]);
  await producer.close();
});
afterAll(() => clusters?.[Symbol.asyncDispose]());

function decisionOf(order: Order) {
  return validatedOutputs(order, decidedAt.toISOString(), orderMessage(order));
}

function paymentOf(order: Order) {
  const validated = JSON.parse(String(decisionOf(order)[0]?.value)) as OrderValidated;
  const outcome = { status: 'paid' as const, reference: 'ch_1' };
  return paymentOutputs(validated, { outcome, decidedAt }, testMessage(order.orderId, validated));
}

describe('a database that is behind the log', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
    await loadMenu(database.sql, testMenu());
    return () => database[Symbol.asyncDispose]();
  });

  test('gets the decisions and payments of the log, with their stock, and no second time', async () => {
    const behind = decidedAt.getTime() - 1_000;
    expect(await restoreFromLog(cluster, database.sql, behind)).toEqual({ read: 3, decisions: 2 });
    expect(await restoreFromLog(cluster, database.sql, behind)).toEqual({ read: 3, decisions: 0 });
    const ids = Object.values(orders).map(({ orderId }) => orderId);
    const decisions = await findDecisions(database.sql, ids);
    // The same moment, so that a redelivery makes the same bytes.
    expect([...decisions].map(([id, decision]) => [id, decision.decidedAt]).sort()).toEqual(
      [orders.paid, orders.validated].map(({ orderId }) => [orderId, decidedAt]).sort(),
    );
    const payments = await database.sql`select order_id, reference, decided_at from payments`;
    expect(payments).toEqual([{ order_id: orders.paid.orderId, reference: 'ch_1', decided_at: decidedAt }]);
    const { faults } = await auditDatabase(database.sql);
    // Stock adds up; the provider's ledger is not part of this.
    expect(faults.filter(({ detail }) => !detail.includes('at the provider'))).toEqual([]);
  });
});

describe('a database that was restarted since it followed another one', () => {
  test('has everything up to the newest decision that it holds, and nothing when it is empty', async () => {
    await using database = await createTestDatabase();
    await loadMenu(database.sql, testMenu());
    expect(await knownUntil(database.sql)).toBe(0);
    // The whole log is read, not its last seconds.
    expect(await restoreFromLog(cluster, database.sql, 0)).toEqual({ read: 3, decisions: 2 });
    expect(await knownUntil(database.sql)).toBe(decidedAt.getTime() - 60_000);
  });
});

describe('dead letters that only the log has', () => {
  test('are parked in the database again, in their order, and once', async () => {
    await using database = await createTestDatabase();
    const orderId = crypto.randomUUID();
    const topic = deadLetterTopic(topics.rawOrders, groups.orderValidator);
    const producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 10_000 });
    for (const [offset, behind] of [
      [7, undefined],
      [9, 7],
    ] as const) {
      const headers = {
        'dlt-partition': '0',
        'dlt-offset': String(offset),
        'dlt-log': '0',
        'dlt-timestamp': String(decidedAt.getTime()),
        'dlt-reason': 'RangeError',
        'dlt-error': 'no time',
        'dlt-attempts': '4',
        'dlt-first-failed-at': decidedAt.toISOString(),
        ...(behind === undefined ? {} : { 'dlt-behind': String(behind) }),
        ce_id: `${orderId}/order.placed`,
      };
      await producer.send([{ topic, key: orderId, value: `of ${offset}`, headers, partition: 0 }]);
    }
    await producer.close();
    const behindMs = decidedAt.getTime() - 1_000;
    expect(await restoreLetters(cluster, database.sql, behindMs)).toBe(2);
    expect(await restoreLetters(cluster, database.sql, behindMs)).toBe(0);
    const letters: DeadLetter[] = [];
    for await (const letter of readDeadLetters(database.sql)) letters.push(letter);
    expect(
      letters.map(({ offset, behind, attempts, headers }) => [offset, behind, attempts, Object.keys(headers)]),
    ).toEqual([
      [7, null, 4, ['ce_id']],
      [9, 7, 0, ['ce_id']],
    ]);
    const { parked } = await loadParkedKeys(
      database.sql,
      { group: groups.orderValidator, topic: topics.rawOrders },
      [0],
    );
    expect(parked).toMatchObject([{ key: orderId, firstOffset: 7, log: 0 }]);
  });
});

describe('positions that were translated past what was copied', () => {
  test('go back to the first record without an outcome, and no further', async () => {
    const admin = await createAdmin({ clientId: 'test', cluster });
    const regionAdmin = createRegionAdmin({ clientId: 'test', cluster });
    try {
      await regionAdmin.commitFor(groups.orderValidator, topics.rawOrders, new Map([[0, 3]]));
      for (const group of [groups.payment, groups.kitchen, groups.bridge])
        await regionAdmin.commitFor(group, topics.validatedOrders, new Map([[0, 3]]));
      const scanned = { cluster, scanMs: 60_000, databaseAtMs: Date.now() + 60_000 };
      expect(await closeGaps(scanned)).toEqual({
        'order-validator': { partitions: 1, records: 1 },
        payment: { partitions: 1, records: 1 },
        kitchen: { partitions: 0, records: 0 },
        bridge: { partitions: 0, records: 0 },
      });
      expect(await admin.committedOffsets(groups.orderValidator, topics.rawOrders)).toEqual(new Map([[0, 2]]));
      expect(await admin.committedOffsets(groups.payment, topics.validatedOrders)).toEqual(new Map([[0, 2]]));
      // A database that knows nothing of the last minute: the kitchen reads all of it again.
      expect(await closeGaps({ ...scanned, databaseAtMs: Date.now() - 60_000 })).toMatchObject({
        'order-validator': { records: 0 },
        kitchen: { partitions: 1, records: 3 },
      });
    } finally {
      await Promise.all([admin.close(), regionAdmin.close()]);
    }
  });
});

// Last, for its worker takes what the others have written.
describe('parked keys of the other region', () => {
  test('stay in front of what comes in the other region, whose offsets are below theirs', async () => {
    await using database = await createTestDatabase();
    const { sql } = database;
    const [group, topic, key] = [groups.orderValidator, topics.rawOrders, crypto.randomUUID()];
    // As it was left in the east: parked from offset 100 of its log on.
    const east = createTopicLog({ clientId: 'test', cluster: clusters.kafka.east, topic });
    const look = await east.look([0, 1]);
    await east.close();
    if (look === undefined) throw new Error('the east has no topic');
    const { logId, clusterId } = look;
    const seen = [...look.ranges].map(([partition, range]) => ({ partition, logId, clusterId, ...range }));
    await enterLogs(sql, { group, topic }, seen);
    await claimEpochs(sql, { group, topic }, [0, 1], 'east');
    const failure = { reason: 'RangeError', error: 'bad', attempts: 4, firstFailedAt: 1_000, applied: false };
    await parkKey(sql, { group, topic }, 1, { partition: 0, key, firstOffset: 100, log: 0, ...failure });
    const content = {
      keyBytes: Buffer.from(key),
      value: Buffer.from('{"n":0}'),
      headers: {},
      timestamp: 1_000,
      behind: null,
    };
    await recordDeadLetter(sql, { group, topic }, 1, { partition: 0, offset: 100, key, ...content, ...failure });

    await sql`create table healed (key text primary key)`;
    await sql`create table effects (id text primary key, key text, n integer, written bigserial)`;
    const producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 10_000 });
    await producer.send([{ topic, key, value: '{"n":1}', partition: 0 }]);
    await producer.close();
    const runtime = await startRuntime({
      role: 'order-validator',
      logger: createLogger('test', process.env.TEST_LOG ?? 'silent'),
      group,
      topic,
      cluster,
      database: database.url,
      actorModule: new URL('../runtime/actors/keyed-actor.ts', import.meta.url),
      settings: {},
      slots: 1,
      limits: runtimeLimits(clusters.config('west')),
    });
    try {
      const letters = async () => {
        const found: string[] = [];
        for await (const { log, value, state } of readDeadLetters(sql, { key })) found.push(`${log} ${value} ${state}`);
        return found;
      };
      const patiently = { timeout: 60_000, interval: 200 };
      await vi.waitFor(
        async () => expect(await letters()).toEqual(['0 {"n":0} parked', '1 {"n":1} parked']),
        patiently,
      );
      expect(await sql`select n from effects where key = ${key}`).toEqual([]);
      await requestReplay(sql, { operator: 'test', selection: {}, keys: [{ group, topic, partition: 0, key }] });
      await vi.waitFor(
        async () => expect(await letters()).toEqual(['0 {"n":0} replayed', '1 {"n":1} replayed']),
        patiently,
      );
      expect(await sql`select n from effects where key = ${key} order by written`).toEqual([{ n: 0 }, { n: 1 }]);
    } finally {
      await runtime.close();
    }
  }, 150_000);
});
