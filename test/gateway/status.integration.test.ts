import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { UndecidedOrders } from '../../gateway/status/undecided-orders.ts';
import { createAdmin, createProducer, partitionOf } from '../../kafka/index.ts';
import { kafkajsClient } from '../../kafka/kafkajs/kafkajs-client.ts';
import { createTestDatabase, servers, type TestDatabase, uniqueName } from '../support/servers.ts';
import { applyTestTopics, sampleOrder, startTestGateway, storeId, type TestServer } from './support.ts';

let database: TestDatabase;
beforeAll(async () => {
  await applyTestTopics();
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** The answer once the gateway has read the log. Until then the answer is 503, and never that the order is unknown. */
async function statusOf(server: TestServer, orderId: string, authorization?: string) {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  return await vi.waitFor(
    async () => {
      const answer = await server.call(`/v1/orders/${orderId}`, { headers });
      expect(answer.status, answer.text).not.toBe(503);
      return answer;
    },
    { timeout: 30_000 },
  );
}

describe('GET of an order that was answered 202', () => {
  test('is found by another gateway, and by the same one after a restart, before it is decided', async () => {
    const order = sampleOrder();
    await using other = await startTestGateway({ DATABASE_URL: database.urlAs('intake') });
    {
      await using first = await startTestGateway({ DATABASE_URL: database.urlAs('intake') });
      expect((await first.post(order)).status).toBe(202);
      expect(await statusOf(other, order.orderId)).toMatchObject({ status: 200 });
    }
    await using again = await startTestGateway({ DATABASE_URL: database.urlAs('intake') });
    const { status, body } = await statusOf(again, order.orderId);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { orderId: order.orderId, storeId, status: 'accepted', history: [{ status: 'accepted' }] },
    });
    expect(Math.abs(Date.parse(body.history[0].at) - Date.now())).toBeLessThan(60_000);
    const stranger = await again.bearer({ store: 'us-ny-0002' });
    expect(await statusOf(again, order.orderId, stranger)).toMatchObject({ status: 404 });
    expect(await statusOf(again, crypto.randomUUID())).toMatchObject({ status: 404 });
  });

  test('is answered with 503 and Retry-After while the log cannot be read', async () => {
    await using server = await startTestGateway({
      DATABASE_URL: database.urlAs('intake'),
      KAFKA_BROKERS: '127.0.0.1:1',
      ORDERMESH_PRODUCE_DEADLINE: '500ms',
    });
    const answer = await server.call(`/v1/orders/${crypto.randomUUID()}`);
    expect(answer).toMatchObject({ status: 503, body: { code: 'status-unavailable' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('is answered as parked while it is parked, to its store only', async () => {
    const order = sampleOrder();
    const { orderId } = order;
    await database.sql`
      insert into parked_keys (consumer_group, topic, partition, key, first_offset, reason, error, attempts, first_failed_at)
      values ('order-validator', 'raw-orders', 0, ${orderId}, 1, 'message', 'no such thing', 4, now())`;
    await database.sql`
      insert into dead_letters (consumer_group, topic, partition, record_offset, key, value, headers, written_at, reason, error, attempts,
        first_failed_at, parked_at)
      values ('order-validator', 'raw-orders', 0, 1, ${orderId}, ${Buffer.from(JSON.stringify(order))}, '{}', now() - interval '20 minutes',
        'message', 'no such thing', 4, now(), now() - interval '20 minutes')`;
    await using server = await startTestGateway({ DATABASE_URL: database.urlAs('intake') });
    expect((await statusOf(server, orderId)).body).toMatchObject({ storeId, status: 'parked' });
    const stranger = await server.bearer({ store: 'us-ny-0002' });
    expect(await statusOf(server, orderId, stranger)).toMatchObject({ status: 404 });
  });
});

describe('undecided orders', () => {
  const { cluster } = servers();
  const clients = kafkajsClient({ clientId: 'test', cluster });

  /** A topic of its own, with a group whose position the test moves. */
  async function ownLog() {
    const topic = uniqueName('raw');
    const group = uniqueName('validator');
    const admin = await createAdmin({ clientId: 'test', cluster });
    await admin.createTopics([{ topic, partitions: 2, replicationFactor: 1 }]);
    const producer = await createProducer({ clientId: 'test', cluster, deadlineMs: 10_000 });
    const operator = clients.admin();
    await operator.connect();
    type Orders = { orderId: string; storeId: string }[];
    const write = (orders: Orders, by = producer) =>
      by.send(orders.map((order) => ({ topic, key: order.orderId, value: JSON.stringify(order) })));
    return {
      topic,
      group,
      write: (orders: Orders) => write(orders),
      /** With a new producer, which knows the current partitions. */
      async writeNewly(orders: Orders) {
        const newly = await createProducer({ clientId: 'test', cluster, deadlineMs: 10_000 });
        await write(orders, newly);
        await newly.close();
      },
      addPartitions: (count: number) => admin.createPartitions(topic, count),
      commit: (partition: number, offset: number) =>
        operator.setOffsets({ groupId: group, topic, partitions: [{ partition, offset: String(offset) }] }),
      deleteRecords: (partition: number, offset: number) =>
        operator.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] }),
      async [Symbol.asyncDispose]() {
        await producer.close();
        await admin.deleteTopics([topic]);
        await admin.close();
        await operator.disconnect();
      },
    };
  }

  /** Orders of one partition. */
  function ordersOf(partition: number, count: number): { orderId: string; storeId: string }[] {
    const orders: { orderId: string; storeId: string }[] = [];
    while (orders.length < count) {
      const orderId = crypto.randomUUID();
      if (partitionOf(orderId, 2) === partition) orders.push({ orderId, storeId });
    }
    return orders;
  }

  test('are those from the committed position on; every question finds the orders that were acknowledged before it', async () => {
    await using log = await ownLog();
    const undecided = new UndecidedOrders({ cluster, clock: systemClock, topic: log.topic, group: log.group });
    try {
      const orders = ordersOf(1, 20);
      const found: (string | undefined)[] = [];
      for (const order of orders.slice(0, 10)) {
        await log.write([order]);
        // Several questions at once share one read.
        const answers = await Promise.all([1, 2, 3].map(() => undecided.find(order.orderId, storeId)));
        found.push(...answers.map((answer) => answer?.storeId));
      }
      expect(new Set(found)).toEqual(new Set([storeId]));
      expect(await undecided.find(orders[0]?.orderId ?? '', 'us-ny-0002')).toBeUndefined();
      expect(await undecided.find(orders[0]?.orderId ?? '', undefined)).toMatchObject({ storeId });
      expect(await undecided.find(orders[19]?.orderId ?? '', storeId)).toBeUndefined();
      await log.commit(1, 5);
      await vi.waitFor(async () => expect(await undecided.find(orders[4]?.orderId ?? '', storeId)).toBeUndefined(), {
        timeout: 10_000,
      });
      expect(await undecided.find(orders[5]?.orderId ?? '', storeId)).toMatchObject({ storeId });
    } finally {
      await undecided.close();
    }
  });

  test('are found after partitions were added: orders from before and from after', async () => {
    await using log = await ownLog();
    const undecided = new UndecidedOrders({ cluster, clock: systemClock, topic: log.topic, group: log.group });
    try {
      const moved: { orderId: string; storeId: string }[] = [];
      while (moved.length < 2) {
        const orderId = crypto.randomUUID();
        if (partitionOf(orderId, 2) !== partitionOf(orderId, 4)) moved.push({ orderId, storeId });
      }
      const [before = { orderId: '', storeId }, since = { orderId: '', storeId }] = moved;
      await log.write([before]);
      expect(await undecided.find(before.orderId, storeId)).toMatchObject({ storeId });
      await log.addPartitions(4);
      expect(await undecided.find(before.orderId, storeId)).toMatchObject({ storeId });
      await log.writeNewly([since]);
      expect(await undecided.find(since.orderId, storeId)).toMatchObject({ storeId });
      expect(await undecided.find(before.orderId, storeId)).toMatchObject({ storeId });
      expect(await undecided.find(crypto.randomUUID(), storeId)).toBeUndefined();
    } finally {
      await undecided.close();
    }
  });

  test('a question that cannot read to the end rejects, and the next questions continue there', async () => {
    await using log = await ownLog();
    // More than one fetch returns, which is 1 MiB of a partition.
    const orders = ordersOf(0, 2_000);
    await log.write(orders.map((order) => ({ ...order, note: 'x'.repeat(2_000) })));
    const undecided = new UndecidedOrders({
      cluster,
      clock: systemClock,
      topic: log.topic,
      group: log.group,
      bounds: { bytesMax: 1, msMax: 10_000 },
    });
    try {
      let refusals = 0;
      const ask = () =>
        undecided.find(orders.at(-1)?.orderId ?? '', storeId).catch(() => {
          refusals++;
        });
      await vi.waitFor(async () => expect(await ask()).toMatchObject({ storeId }), { timeout: 20_000, interval: 1 });
      expect(refusals).toBeGreaterThan(0);
      expect(refusals).toBeLessThan(50);
    } finally {
      await undecided.close();
    }
  });

  test('an order that retention removed before it was decided is not called unknown', async () => {
    await using log = await ownLog();
    const orders = ordersOf(0, 10);
    await log.write(orders);
    await log.commit(0, 2);
    await log.deleteRecords(0, 6);
    const undecided = new UndecidedOrders({ cluster, clock: systemClock, topic: log.topic, group: log.group });
    try {
      await expect(undecided.find(orders[3]?.orderId ?? '', storeId)).rejects.toThrow('does not hold offset 2');
      await log.commit(0, 6);
      await vi.waitFor(
        async () => expect(await undecided.find(orders[7]?.orderId ?? '', storeId)).toMatchObject({ storeId }),
        { timeout: 10_000 },
      );
    } finally {
      await undecided.close();
    }
  });
});
