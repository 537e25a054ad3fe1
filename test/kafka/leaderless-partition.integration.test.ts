import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createProducer, createTopicLog, KafkaUnavailableError } from '../../kafka/index.ts';
import { PartitionFetcher } from '../../kafka/reader/partition-fetcher.ts';
import { TopicLogKeeper } from '../../runtime/host/partitions/log-keeper.ts';
import { uniqueName } from '../support/servers.ts';
import { startTwoBrokers, type TwoBrokers } from '../support/two-brokers.ts';
import { GroupMember } from './group-member.ts';

const LONG = { timeout: 90_000, interval: 50 };
/** Partitions 0 and 2 are on the broker that stays. */
const LEADERS = [1, 2, 1] as const;

let brokers: TwoBrokers;
let topic: string;

beforeAll(async () => {
  brokers = await startTwoBrokers();
}, 240_000);
afterAll(() => brokers[Symbol.asyncDispose]());
beforeEach(async () => {
  topic = uniqueName('leaderless');
  await brokers.createTopic(topic, LEADERS);
});

/** Waits until the cluster itself says that the partition has no leader. */
async function leaderless(): Promise<void> {
  const fetcher = new PartitionFetcher({ clientId: 'test', cluster: brokers.cluster, topic });
  await expect.poll(() => fetcher.fetch(new Map([[1, 0]]), 0).catch(String), LONG).toMatch(/no leader/);
  await fetcher.close();
}

test('a broker that stops answering costs a member the partitions of that broker only', {
  timeout: 240_000,
}, async () => {
  const producer = await createProducer({
    clientId: 'test',
    cluster: brokers.cluster,
    deadlineMs: 20_000,
  });
  const send = (partition: number) => producer.send([{ topic, key: 'k', value: 'v', partition }]);
  await using member = await GroupMember.join('m', {
    cluster: brokers.cluster,
    groupId: uniqueName('group'),
    topics: [topic],
  });
  const count = (partition: number) => member.seen.filter((record) => record.partition === partition).length;
  await Promise.all([0, 1, 2].map(send));
  await expect.poll(() => [0, 1, 2].map(count), LONG).toEqual([1, 1, 1]);
  brokers.freeze();
  let sent = 1;
  await expect
    .poll(async () => {
      await send(0);
      sent++;
      return member.consumer.health.standing.map(({ partition }) => partition);
    }, LONG)
    .toEqual([{ topic, partition: 1 }]);
  // Until then the test asks for its partition again and again.
  await leaderless();
  expect(member.log).toEqual(['assigned 0,1,2']);
  expect(member.consumer.health.restarts).toBe(0);
  await expect.poll(() => [0, 1, 2].map(count), LONG).toEqual([sent, 1, 1]);
  brokers.thaw();
  await expect.poll(() => send(1).then(() => true, String), LONG).toBe(true);
  await expect.poll(() => count(1), LONG).toBeGreaterThan(1);
  expect(member.log).toEqual(['assigned 0,1,2']);
  expect(member.consumer.health.restarts).toBe(0);
  await producer.close();
});

test('a producer, a fetcher, a look and a member of a group go on with the partitions that have a leader', {
  timeout: 240_000,
}, async () => {
  const options = { clientId: 'test', cluster: brokers.cluster };
  const producer = await createProducer({ ...options, deadlineMs: 20_000 });
  const fetcher = new PartitionFetcher({ ...options, topic });
  const topicLog = createTopicLog({ ...options, topic });
  const lines: string[] = [];
  const note = (details: { reason?: string }, message: string) => lines.push(`${message} ${details.reason ?? ''}`);
  await using member = await GroupMember.join('m', {
    cluster: brokers.cluster,
    groupId: uniqueName('group'),
    topics: [topic],
    log: { info: note, warn: note, error: note },
  });
  const count = (partition: number) => member.seen.filter((record) => record.partition === partition).length;
  const send = (partition: number) => producer.send([{ topic, key: 'k', value: 'v', partition }]);
  await Promise.all([0, 1, 2].map(send));
  await expect.poll(() => [0, 1, 2].map(count), LONG).toEqual([1, 1, 1]);

  await brokers.kill();
  await leaderless();

  // The record without a leader fails soon, with the reason, and does not delay the others.
  const without = expect.poll(() => send(1).catch((error: Error) => error), LONG);
  await without.toMatchObject({ message: expect.stringMatching(/\/1 has no leader/) });
  const both = await Promise.allSettled([send(0), send(1), send(2)]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((both[1] as PromiseRejectedResult).reason).toBeInstanceOf(KafkaUnavailableError);

  const positions = new Map([0, 1, 2].map((partition) => [partition, 0]));
  const fetched = await fetcher.fetch(positions, 0);
  expect(fetched.map(({ partition, records }) => [partition, records.length]).sort()).toEqual([
    [0, 2],
    [2, 2],
  ]);

  const look = await topicLog.look([0, 1, 2]);
  expect(look?.partitions).toBe(3);
  expect([...(look?.ranges ?? [])].sort()).toEqual([
    [0, { earliest: 0, latest: 2 }],
    [2, { earliest: 0, latest: 2 }],
  ]);

  const keeper = new TopicLogKeeper(options, { group: 'any', topic }, undefined);
  expect((await keeper.see([0, 1, 2])).map(({ partition }) => partition)).toEqual([0, 2]);
  await keeper.close();

  await expect.poll(() => [0, 1, 2].map(count), LONG).toEqual([2, 1, 2]);
  await expect
    .poll(() => member.consumer.health.standing, LONG)
    .toEqual([{ partition: { topic, partition: 1 }, reason: 'it has no leader', since: expect.any(Number) }]);
  // A new member has no position in the partition, and can't get one.
  await using late = await GroupMember.join('late', {
    cluster: brokers.cluster,
    groupId: uniqueName('group'),
    topics: [topic],
  });
  await expect.poll(() => late.seen.length, LONG).toBe(4);

  await brokers.restart();
  await expect.poll(() => send(1).then(() => true, String), LONG).toBe(true);
  await expect.poll(() => [0, 1, 2].map(count), LONG).toEqual([2, 2, 2]);
  await expect.poll(() => late.seen.length, LONG).toBe(6);
  expect(member.consumer.health.standing).toEqual([]);
  expect(lines.filter((line) => line.startsWith('partition'))).toEqual([
    // The first reason: as long as the cluster lists the broker, the partition has a leader that refuses connections.
    expect.stringMatching(/^partition stands (no fetch answers for it|it has no leader)$/),
    'partition is fetched again ',
  ]);
  await Promise.all([producer.close(), fetcher.close(), topicLog.close()]);
});
