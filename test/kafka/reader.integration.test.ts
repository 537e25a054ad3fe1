import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createRegionAdmin } from '../../kafka/admin/region-admin.ts';
import {
  type Admin,
  createAdmin,
  createProducer,
  KafkaUnavailableError,
  type ReadRecord,
  type RecordProducer,
  RecordRefusedError,
  readTopic,
  tailTopic,
} from '../../kafka/index.ts';
import { startKafkaProxy } from '../support/kafka-proxy.ts';
import { clusterAt, servers, uniqueName } from '../support/servers.ts';

describe('reading a topic without a group', () => {
  const created: string[] = [];
  const { cluster } = servers();
  let admin: Admin;
  let producer: RecordProducer;

  beforeAll(async () => {
    admin = await createAdmin({ clientId: 'reader-test', cluster });
    producer = await createProducer({ clientId: 'reader-test', cluster, deadlineMs: 10_000 });
  });
  afterAll(async () => {
    await producer.close();
    await admin.deleteTopics(created);
    await admin.close();
  });

  async function newTopic(): Promise<string> {
    const topic = uniqueName('reader');
    await admin.createTopics([{ topic, partitions: 4, replicationFactor: 1 }]);
    created.push(topic);
    return topic;
  }

  const record = (topic: string, partition: number, n: number) => ({ topic, key: 'k', value: String(n), partition });

  test('a tail goes on with the oldest record that is left, when records are removed and when the topic is another one', async () => {
    const topic = await newTopic();
    await producer.send(Array.from({ length: 10 }, (_, n) => record(topic, 0, n)));
    const regionAdmin = createRegionAdmin({ clientId: 'reader-test', cluster });
    await regionAdmin.deleteRecordsBefore(topic, new Map([[0, 8]]));
    await regionAdmin.close();
    const seen: string[] = [];
    // Before the oldest record in partition 0, after the end in partition 1.
    const fromOffsets = new Map([[1, 50]]);
    const tail = await tailTopic({ cluster, topic, from: 'earliest', fromOffsets, onTrouble: () => {} }, ({ value }) =>
      seen.push(String(value)),
    );
    // Replaces the position that the tail found at its start: the new one points to removed records.
    (tail.positions() as Map<number, number>).set(0, 2);
    await producer.send([record(topic, 1, 100)]);
    await vi.waitFor(() => expect(seen).toEqual(expect.arrayContaining(['8', '9', '100'])), {
      timeout: 15_000,
      interval: 100,
    });
    await tail.close();
  });

  test('reads from start to the end it had at the start, past empty partitions', async () => {
    const topic = await newTopic();
    await producer.send(Array.from({ length: 3_000 }, (_, n) => record(topic, n % 2, n)));
    const read: ReadRecord[] = [];
    const count = await readTopic({ cluster, topic }, async (each) => {
      // Records that arrive during the read are not part of it.
      if (read.length === 0) await producer.send([record(topic, 0, -1), record(topic, 3, -1)]);
      read.push(each);
    });
    expect(count).toBe(3_000);
    for (const partition of [0, 1]) {
      const values = read.filter((each) => each.partition === partition).map(({ value }) => Number(value));
      expect(values).toEqual(Array.from({ length: 1_500 }, (_, n) => 2 * n + partition));
    }
    expect(read.every((each, index) => each.topic === topic && each.offset <= index)).toBe(true);
  });

  test('starts where it is told, and in the middle of a batch', async () => {
    const topic = await newTopic();
    await producer.send(Array.from({ length: 10 }, (_, n) => record(topic, 0, n)));
    await producer.send([record(topic, 1, 0)]);
    const offsets: string[] = [];
    await readTopic({ cluster, topic, fromOffsets: new Map([[0, 7]]) }, ({ partition, offset }) => {
      offsets.push(`${partition}:${offset}`);
    });
    expect(offsets.sort()).toEqual(['0:7', '0:8', '0:9', '1:0']);
  });

  test('returns at once from an empty topic, and refuses one that does not exist', async () => {
    const topic = await newTopic();
    expect(await readTopic({ cluster, topic }, () => {})).toBe(0);
    await expect(readTopic({ cluster, topic: uniqueName('absent') }, () => {})).rejects.toThrow(RecordRefusedError);
  });

  test('passes on what `onRecord` throws', async () => {
    const topic = await newTopic();
    await producer.send([record(topic, 0, 0)]);
    const failing = readTopic({ cluster, topic }, () => {
      throw new RangeError('reader');
    });
    await expect(failing).rejects.toThrow(RangeError);
  });

  test('follows all partitions, and goes on after an outage without a gap or a repetition', async () => {
    const topic = await newTopic();
    await producer.send([record(topic, 0, 0)]);
    await using proxy = await startKafkaProxy(cluster.brokers[0] ?? '');
    const seen: string[] = [];
    const troubles: (string | undefined)[] = [];
    const onTrouble = (reason: Error | undefined) => troubles.push(reason?.message);
    const options = { cluster: clusterAt(proxy.address), topic, from: 'latest' as const, onTrouble };
    const tail = await tailTopic(options, ({ partition, value }) => seen.push(`${partition}:${value}`));
    await producer.send([record(topic, 0, 1), record(topic, 1, 1)]);
    await expect.poll(() => seen.toSorted()).toEqual(['0:1', '1:1']);
    proxy.cut();
    await expect.poll(() => troubles, { timeout: 10_000 }).toEqual([expect.stringContaining(topic)]);
    await producer.send([record(topic, 1, 2)]);
    proxy.restore();
    await producer.send([record(topic, 2, 3)]);
    await expect.poll(() => seen.toSorted(), { timeout: 10_000 }).toEqual(['0:1', '1:1', '1:2', '2:3']);
    expect([...tail.positions()].sort()).toEqual([
      [0, 2],
      [1, 2],
      [2, 1],
      [3, 0],
    ]);
    expect(troubles).toEqual([expect.any(String), undefined]);
    await tail.close();
  });

  test('reads partitions that are added while it follows, from their start', async () => {
    const topic = await newTopic();
    const seen: string[] = [];
    const tail = await tailTopic({ cluster, topic, from: 'latest', onTrouble: () => {} }, ({ partition, value }) =>
      seen.push(`${partition}:${value}`),
    );
    await admin.createPartitions(topic, 6);
    // The other producer knows the topic with fewer partitions.
    const later = await createProducer({ clientId: 'reader-test', cluster, deadlineMs: 20_000 });
    await later.send([record(topic, 5, 1)]);
    await expect.poll(() => seen, { timeout: 40_000 }).toEqual(['5:1']);
    await later.close();
    await tail.close();
  });

  test('passes over a record that its reader throws at, says so, and goes on', async () => {
    const topic = await newTopic();
    const seen: string[] = [];
    const troubles: string[] = [];
    const onTrouble = (reason: Error | undefined) => reason !== undefined && troubles.push(reason.message);
    const tail = await tailTopic({ cluster, topic, from: 'latest', onTrouble }, ({ value }) => {
      if (String(value) === '1') throw new TypeError('no number of mine');
      seen.push(String(value));
    });
    await producer.send([record(topic, 0, 1), record(topic, 0, 2)]);
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['2']);
    expect(troubles).toEqual([
      expect.stringContaining(`${topic} partition 0 offset 0 is passed over: no number of mine`),
    ]);
    await tail.close();
  });

  test('says that no broker answers', async () => {
    await using proxy = await startKafkaProxy(cluster.brokers[0] ?? '');
    proxy.cut();
    await expect(readTopic({ cluster: clusterAt(proxy.address), topic: 't' }, () => {})).rejects.toThrow(
      KafkaUnavailableError,
    );
  });
});
