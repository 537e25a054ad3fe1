import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { limits } from '../../contracts/limits.ts';
import {
  type Admin,
  createAdmin,
  KafkaSetupError,
  KafkaUnavailableError,
  type OutgoingRecord,
  type ProducerOptions,
  partitionOf,
  type ReadRecord,
  type RecordProducer,
  RecordTooLargeError,
  readTopic,
} from '../../kafka/index.ts';
import { startKafkaProxy } from '../support/kafka-proxy.ts';
import { servers, uniqueName } from '../support/servers.ts';

const PARTITIONS = 5;

/** The guarantees of every implementation of `RecordProducer`. */
export function producerConformance(
  name: string,
  createProducer: (options: ProducerOptions) => Promise<RecordProducer>,
  cluster: () => KafkaCluster = () => servers().cluster,
): void {
  describe(`${name} as a record producer`, () => {
    const created: string[] = [];
    let admin: Admin;

    beforeAll(async () => {
      admin = await createAdmin({ clientId: 'conformance', cluster: cluster() });
    });
    afterAll(async () => {
      await admin.deleteTopics(created);
      await admin.close();
    });

    async function newTopic(config: Record<string, string> = {}): Promise<string> {
      const topic = uniqueName('producer');
      await admin.createTopics([{ topic, partitions: PARTITIONS, replicationFactor: 1, config }]);
      created.push(topic);
      return topic;
    }

    async function open(options: Partial<ProducerOptions> = {}): Promise<RecordProducer & AsyncDisposable> {
      const producer = await createProducer({
        clientId: 'conformance',
        cluster: cluster(),
        deadlineMs: 10_000,
        ...options,
      });
      return Object.assign(producer, { [Symbol.asyncDispose]: () => producer.close() });
    }

    test('has every acknowledged record in the log, in the order of the calls per key', async () => {
      const topic = await newTopic();
      await using producer = await open();
      const records = Array.from({ length: 5_000 }, (_, n) => ({ topic, key: `key-${n % 37}`, value: String(n) }));
      await producer.send(records);
      const read = await readAll(cluster(), topic);
      expect(read).toHaveLength(records.length);
      for (const [key, values] of valuesByKey(read)) {
        const sent = records.filter((record) => record.key === key).map(({ value }) => value);
        expect(values).toEqual(sent);
      }
    });

    test('puts keys where the Java client puts them, and fixed partitions where they are told', async () => {
      const topic = await newTopic();
      await using producer = await open();
      const keys = Array.from({ length: 200 }, (_, n) => `ключ-${n}`);
      await producer.send([
        ...keys.map((key) => ({ topic, key, value: 'hashed' })),
        { topic, key: 'anything', value: 'fixed', partition: 3 },
      ]);
      for (const record of await readAll(cluster(), topic)) {
        const key = record.key ?? Buffer.alloc(0);
        expect(record.partition).toBe(record.value?.toString() === 'fixed' ? 3 : partitionOf(key, PARTITIONS));
      }
    });

    test('carries keys, values and headers unchanged: bytes, text, null and empty', async () => {
      const topic = await newTopic();
      await using producer = await open();
      const bytes = randomBytes(300);
      const long = 'größer '.repeat(40);
      const records: OutgoingRecord[] = [
        { topic, key: 'bytes', value: bytes, headers: { raw: bytes, text: 'naïve ☃', long, empty: '' } },
        { topic, key: Buffer.from('null'), value: null },
        { topic, key: 'empty', value: '', headers: {} },
        { topic, key: 'text', value: long, headers: Object.fromEntries(manyHeaders(100)) },
      ];
      await producer.send(records);
      const read = new Map((await readAll(cluster(), topic)).map((record) => [String(record.key), record]));
      const first = read.get('bytes');
      expect(first?.value).toEqual(bytes);
      expect(Object.keys(first?.headers ?? {})).toEqual(['raw', 'text', 'long', 'empty']);
      expect(first?.headers.raw).toEqual(bytes);
      expect(String(first?.headers.text)).toBe('naïve ☃');
      expect(String(first?.headers.long)).toBe(long);
      expect(String(first?.headers.empty)).toBe('');
      expect(read.get('null')?.value).toBeNull();
      expect(read.get('empty')?.value).toHaveLength(0);
      expect(String(read.get('text')?.value)).toBe(long);
      expect(Object.entries(read.get('text')?.headers ?? {}).map(([k, v]) => [k, String(v)])).toEqual(manyHeaders(100));
    });

    test('puts common headers before the own ones, those of the key with it', async () => {
      const topic = await newTopic();
      await using producer = await open();
      const commonHeaders = { fixed: { source: '/here' }, afterKey: { id: '/placed', subject: '' } };
      const keys = ['short', 'größer', 'x'.repeat(100)];
      await producer.send(keys.map((key) => ({ topic, key, value: '', commonHeaders, headers: { own: key } })));
      for (const { key, headers } of await readAll(cluster(), topic)) {
        const sent = Object.entries({ source: '/here', id: `${key}/placed`, subject: `${key}`, own: `${key}` });
        expect(Object.entries(headers).map(([name, value]) => [name, String(value)])).toEqual(sent);
      }
    });

    test('gathers what is appended during a request into the next one', async () => {
      const topic = await newTopic();
      await using proxy = await startKafkaProxy(cluster().brokers[0] ?? '', cluster().security.caFile);
      await using producer = await open({ cluster: { ...cluster(), brokers: [proxy.address] } });
      await producer.send([{ topic, key: 'warm-up', value: '' }]);
      const before = proxy.produceRequests;
      await producer.send(Array.from({ length: 2_000 }, (_, n) => ({ topic, key: String(n), value: 'x' })));
      expect(proxy.produceRequests - before).toBe(1);
      expect(producer.unanswered).toEqual({ records: 0, bytes: 0 });
    });

    test('takes more bytes for a partition than one batch may have, and keeps their order', async () => {
      const topic = await newTopic();
      await using producer = await open();
      const value = randomBytes(limits.orderBytesMax);
      const records = Array.from({ length: 20 }, (_, n) => ({ topic, key: 'one', value, headers: { n: String(n) } }));
      await producer.send(records);
      const read = await readAll(cluster(), topic);
      expect(read.map(({ headers }) => String(headers.n))).toEqual(records.map(({ headers }) => headers.n));
      expect(read.every((record) => record.value?.equals(value))).toBe(true);
    });

    test('refuses a record that its topic will never take, and spares those beside it', async () => {
      const topic = await newTopic({ 'max.message.bytes': '2000' });
      await using producer = await open();
      const values = Array.from({ length: 40 }, (_, n) => String(n).padEnd(n === 17 ? 8_000 : 100));
      const answers = await Promise.allSettled(
        values.map((value) => producer.send([{ topic, key: 'a', value, partition: 0 }])),
      );
      const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
      expect(refused).toEqual([expect.any(RecordTooLargeError)]);
      expect(refused[0]?.message).toContain(topic);
      const read = (await readAll(cluster(), topic)).map(({ value }) => String(value));
      expect(read).toEqual(values.filter((value) => value.length === 100));
    });

    test('refuses a record that is too large and a topic that does not exist, and spares the others', async () => {
      const topic = await newTopic();
      await using producer = await open();
      const absent = uniqueName('absent');
      const good = producer.send([{ topic, key: 'a', value: 'good' }]);
      const large = producer.send([{ topic, key: 'a', value: Buffer.alloc(limits.kafkaBatchBytesMax) }]);
      const lost = producer.send([{ topic: absent, key: 'a', value: 'x' }]);
      await expect(large).rejects.toThrow(RecordTooLargeError);
      // Creating the topic ends this outage, so no record is at fault.
      await expect(lost).rejects.toThrow(KafkaSetupError);
      await expect(lost).rejects.toThrow(absent);
      await good;
      expect((await readAll(cluster(), topic)).map(({ value }) => String(value))).toEqual(['good']);
    });

    test('answers by the deadline while the broker is away, holds nothing, and goes on when it is back', async () => {
      const topic = await newTopic();
      await using proxy = await startKafkaProxy(cluster().brokers[0] ?? '', cluster().security.caFile);
      await using producer = await open({ cluster: { ...cluster(), brokers: [proxy.address] }, deadlineMs: 1_000 });
      await producer.send([{ topic, key: 'a', value: 'before' }]);
      proxy.cut();
      const failures = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) => producer.send([{ topic, key: 'a', value: `during ${n}` }])),
      );
      for (const failure of failures)
        expect(failure).toMatchObject({ status: 'rejected', reason: expect.any(KafkaUnavailableError) });
      expect(producer.unanswered).toEqual({ records: 0, bytes: 0 });
      proxy.restore();
      await untilSent(producer, { topic, key: 'a', value: 'after' });
      const values = (await readAll(cluster(), topic)).map(({ value }) => String(value));
      expect(values[0]).toBe('before');
      expect(values).toContain('after');
    });

    test('neither loses, doubles nor reorders when connections break and acknowledgements are lost', async () => {
      const topic = await newTopic();
      await using proxy = await startKafkaProxy(cluster().brokers[0] ?? '', cluster().security.caFile);
      await using producer = await open({ cluster: { ...cluster(), brokers: [proxy.address] }, deadlineMs: 20_000 });
      await producer.send([{ topic, key: 'warm-up', value: '' }]);
      const sent: Promise<void>[] = [];
      for (let round = 0; round < 4; round++) {
        proxy.dropAnswers();
        const requests = proxy.produceRequests;
        for (let n = 0; n < 25; n++) sent.push(producer.send([{ topic, key: 'k', value: String(25 * round + n) }]));
        await expect.poll(() => proxy.produceRequests, { interval: 1 }).toBeGreaterThan(requests);
        proxy.restore();
        await Promise.all(sent);
      }
      const values = (await readAll(cluster(), topic))
        .filter(({ key }) => String(key) === 'k')
        .map(({ value }) => Number(value));
      expect(values).toEqual(Array.from({ length: 100 }, (_, n) => n));
    });

    test('answers what is in flight before it closes, and refuses after', async () => {
      const topic = await newTopic();
      const producer = await open();
      const sent = producer.send([{ topic, key: 'a', value: 'x' }]);
      await producer.close();
      await expect(sent).resolves.toBeUndefined();
      await expect(producer.send([{ topic, key: 'a', value: 'y' }])).rejects.toThrow(KafkaUnavailableError);
    });

    test('does not start without a broker', async () => {
      await using proxy = await startKafkaProxy(cluster().brokers[0] ?? '', cluster().security.caFile);
      proxy.cut();
      await expect(open({ cluster: { ...cluster(), brokers: [proxy.address] } })).rejects.toThrow(
        KafkaUnavailableError,
      );
    });
  });
}

async function readAll(cluster: KafkaCluster, topic: string): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  await readTopic({ cluster, topic }, (record) => {
    records.push(record);
  });
  return records;
}

function valuesByKey(records: ReadRecord[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const { key, value } of records) {
    const list = values.get(String(key)) ?? [];
    list.push(String(value));
    values.set(String(key), list);
  }
  return values;
}

function manyHeaders(count: number): [string, string][] {
  return Array.from({ length: count }, (_, n) => [`name-${n}`, `value-${n}`]);
}

async function untilSent(producer: RecordProducer, record: OutgoingRecord): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await producer.send([record]);
      return;
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}
