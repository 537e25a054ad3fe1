import { fork } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Admin,
  createAdmin,
  createProducer,
  KafkaUnavailableError,
  NotAMemberError,
  type RecordProducer,
} from '../../kafka/index.ts';
import { startKafkaProxy } from '../support/kafka-proxy.ts';
import { clusterAt, servers, uniqueName } from '../support/servers.ts';
import { GroupMember, type SeenRecord } from './group-member.ts';

const PARTITIONS = 4;
const LONG = { timeout: 30_000, interval: 20 };

describe('group consumer', () => {
  const created: string[] = [];
  let admin: Admin;
  let producer: RecordProducer;

  beforeAll(async () => {
    const { cluster } = servers();
    admin = await createAdmin({ clientId: 'consumer-test', cluster });
    producer = await createProducer({ clientId: 'consumer-test', cluster, deadlineMs: 10_000 });
  });
  afterAll(async () => {
    await producer.close();
    await admin.deleteTopics(created);
    await admin.close();
  });

  async function newTopic(partitions = PARTITIONS): Promise<string> {
    const topic = uniqueName('consumer');
    await admin.createTopics([{ topic, partitions, replicationFactor: 1 }]);
    created.push(topic);
    return topic;
  }

  function group(topic: string) {
    return { cluster: servers().cluster, groupId: `${topic}-group`, topics: [topic] };
  }

  /** `count` records with ascending values, to each partition. */
  async function produce(topic: string, count: number, from = 0): Promise<void> {
    const records = Array.from({ length: count }, (_, n) =>
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, key: 'k', value: String(from + n), partition })),
    );
    await producer.send(records.flat());
  }

  test('hands over every record of its partitions in order, with key, headers, timestamp and high watermark', async () => {
    const topic = await newTopic(1);
    const before = Date.now();
    await producer.send([
      { topic, key: 'a', value: '0', headers: { one: '1', two: Buffer.from([2]) } },
      { topic, key: 'b', value: null },
    ]);
    await using member = await GroupMember.join('m', group(topic));
    const batch = await new Promise<Parameters<GroupMember['onBatch']>[0]>((resolve) => {
      member.onBatch = resolve;
    });
    expect(batch).toMatchObject({ topic, partition: 0, highWatermark: 2 });
    const [first, second] = batch.records;
    expect(first).toMatchObject({ offset: 0, key: Buffer.from('a'), value: Buffer.from('0') });
    expect({ ...first?.headers }).toEqual({ one: Buffer.from('1'), two: Buffer.from([2]) });
    expect(first?.timestamp).toBeGreaterThanOrEqual(before);
    expect(second).toMatchObject({ offset: 1, key: Buffer.from('b'), value: null });
    expect({ ...second?.headers }).toEqual({});
  });

  test('revokes before a rebalance, also when idle, and goes on at what was committed', async () => {
    const topic = await newTopic();
    await produce(topic, 50);
    await using first = await GroupMember.join('first', group(topic));
    await expect.poll(() => first.seen.length, LONG).toBe(50 * PARTITIONS);
    let release = () => {};
    first.drain = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await using second = await GroupMember.join('second', group(topic));
    await expect.poll(() => first.log, LONG).toContain('revoking 0,1,2,3');
    expect(second.log).toEqual([]);
    release();
    await expect.poll(() => second.log.length, LONG).toBe(1);
    await expect.poll(() => first.log.length, LONG).toBe(4);
    expect(first.log.slice(0, 3)).toEqual(['assigned 0,1,2,3', 'revoking 0,1,2,3', 'revoked']);
    first.drain = async () => {};
    await produce(topic, 50, 50);
    await expect.poll(() => first.seen.length + second.seen.length, LONG).toBe(100 * PARTITIONS);
    const lastOwner = new Map([...first.seen, ...second.seen].map(({ partition, member }) => [partition, member]));
    expect([...lastOwner.values()].sort()).toEqual(['first', 'first', 'second', 'second']);
    expectAscending(first.seen);
    expectAscending(second.seen);
    const strange = second.consumer.assignment[0];
    if (strange === undefined) throw new Error('second member has nothing');
    await expect(first.consumer.commit([{ ...strange, offset: 1 }])).rejects.toThrow(NotAMemberError);
  });

  test('loses nothing when a member is killed', async () => {
    const topic = await newTopic();
    const { cluster, groupId } = group(topic);
    await using survivor = await GroupMember.join('survivor', group(topic));
    await expect.poll(() => survivor.log.length, LONG).toBe(1);
    const child = fork(new URL('./killed-member.ts', import.meta.url), [JSON.stringify(cluster), groupId, topic]);
    try {
      const killed: SeenRecord[] = [];
      child.on('message', (record) => killed.push(record as SeenRecord));
      await expect.poll(() => survivor.consumer.assignment.length, LONG).toBe(2);
      await produce(topic, 100);
      await expect.poll(() => killed.length, LONG).toBe(200);
      child.kill('SIGKILL');
      await produce(topic, 100, 100);
      // The dead member has committed nothing, so all of its partitions' records come to the survivor.
      const distinct = () => new Set(survivor.seen.map(({ partition, value }) => `${partition}/${value}`)).size;
      await expect.poll(distinct, LONG).toBe(200 * PARTITIONS);
      expect(survivor.log.filter((entry) => entry.startsWith('lost'))).toEqual([]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('loses its partitions in an outage longer than the session, refuses to commit, and comes back by itself', async () => {
    const topic = await newTopic();
    await produce(topic, 10);
    await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
    await using member = await GroupMember.join('m', { ...group(topic), cluster: clusterAt(proxy.address) });
    await expect.poll(() => member.seen.length, LONG).toBe(10 * PARTITIONS);
    await member.commitSeen();
    proxy.cut();
    await expect(member.commitSeen()).rejects.toThrow(KafkaUnavailableError);
    // Another member takes over when the session has timed out.
    await using other = await GroupMember.join('other', group(topic));
    await expect.poll(() => other.log, LONG).toContain('assigned 0,1,2,3');
    proxy.restore();
    await expect.poll(() => member.log.at(-1), LONG).toMatch(/^assigned \d,\d$/);
    expect(member.log.slice(0, 2)).toEqual(['assigned 0,1,2,3', 'lost 0,1,2,3']);
    await produce(topic, 10, 10);
    await expect.poll(() => member.seen.length + other.seen.length, LONG).toBe(20 * PARTITIONS);
    await member.commitSeen();
  });

  test('revokes each assignment, also while the revocation of one before does not end', {
    timeout: 120_000,
  }, async () => {
    const topic = await newTopic();
    await using first = await GroupMember.join('first', group(topic));
    await expect.poll(() => first.log, LONG).toEqual(['assigned 0,1,2,3']);
    let drained = () => {};
    first.drain = () =>
      new Promise((resolve) => {
        drained = resolve;
      });
    const second = await GroupMember.join('second', group(topic));
    // The group drops the member after the rebalance timeout, and it comes back.
    await expect.poll(() => first.log.length, { ...LONG, timeout: 60_000 }).toBe(4);
    const own = first.log[3]?.replace('assigned ', '');
    expect(first.log).toEqual(['assigned 0,1,2,3', 'revoking 0,1,2,3', 'lost 0,1,2,3', `assigned ${own}`]);
    const endFirst = drained;
    await second.consumer.close();
    await expect.poll(() => first.log[4], LONG).toBe(`revoking ${own}`);
    drained();
    await expect.poll(() => first.log.slice(5), LONG).toEqual(['revoked', 'assigned 0,1,2,3']);
    first.drain = async () => {};
    endFirst();
  });

  test('pauses, resumes and seeks one partition without the others', async () => {
    const topic = await newTopic();
    await using member = await GroupMember.join('m', group(topic));
    await expect.poll(() => member.log.length, LONG).toBe(1);
    const paused = { topic, partition: 1 };
    member.consumer.pause([paused]);
    await produce(topic, 20);
    const count = (partition: number) => member.seen.filter((record) => record.partition === partition).length;
    await expect.poll(() => [count(0), count(2), count(3)], LONG).toEqual([20, 20, 20]);
    expect(count(1)).toBe(0);
    member.consumer.resume([paused]);
    await expect.poll(() => count(1), LONG).toBe(20);
    member.consumer.seek({ ...paused, offset: 15 });
    await expect.poll(() => count(1), LONG).toBe(25);
    expect(
      member.seen
        .filter(({ partition }) => partition === 1)
        .slice(20)
        .map(({ offset }) => offset),
    ).toEqual([15, 16, 17, 18, 19]);
  });

  test('commits on close what its owner commits, and a later member starts there', async () => {
    const topic = await newTopic();
    await produce(topic, 10);
    const first = await GroupMember.join('first', group(topic));
    await expect.poll(() => first.seen.length, LONG).toBe(10 * PARTITIONS);
    await first.consumer.close();
    expect(first.log.slice(1)).toEqual(['revoking 0,1,2,3', 'revoked']);
    const committed = await admin.committedOffsets(group(topic).groupId, topic);
    expect([...committed].sort()).toEqual([0, 1, 2, 3].map((partition) => [partition, 10]));
    await produce(topic, 1, 10);
    await using second = await GroupMember.join('second', group(topic));
    await expect.poll(() => second.seen.length, LONG).toBe(PARTITIONS);
    expect(second.seen.every(({ offset }) => offset === 10)).toBe(true);
    await expect(first.consumer.commit([{ topic, partition: 0, offset: 0 }])).rejects.toThrow(NotAMemberError);
  });
});

function expectAscending(seen: SeenRecord[]): void {
  for (const [, records] of Map.groupBy(seen, ({ partition }) => partition)) {
    const offsets = records.map(({ offset }) => offset);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
  }
}
