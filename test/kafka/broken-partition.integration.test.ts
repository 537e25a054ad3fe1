import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Admin, createAdmin, createProducer, type RecordProducer } from '../../kafka/index.ts';
import { startKafkaProxy } from '../support/kafka-proxy.ts';
import { clusterAt, servers, uniqueName } from '../support/servers.ts';
import { GroupMember } from './group-member.ts';

const LONG = { timeout: 30_000, interval: 50 };
const BROKEN = 2;

let admin: Admin;
let producer: RecordProducer;
const topics: string[] = [];

beforeAll(async () => {
  const { cluster } = servers();
  admin = await createAdmin({ clientId: 'broken-partition-test', cluster });
  producer = await createProducer({ clientId: 'broken-partition-test', cluster, deadlineMs: 10_000 });
});
afterAll(async () => {
  await producer.close();
  await admin.deleteTopics(topics);
  await admin.close();
});

/** Fetch answers, version 11: throttle time, error, session; topics of name and partitions; see kafka/kafkajs/kafkajs-fetch-answers.ts. */
function partitionsOf(frame: Buffer): { partition: number; errorAt: number; recordsAt: number; size: number }[] {
  let at = 4 + 4 + 4 + 2 + 4;
  const found = [];
  const topics = frame.readInt32BE(at);
  at += 4;
  for (let t = 0; t < topics; t++) {
    at += 2 + frame.readInt16BE(at);
    const partitions = frame.readInt32BE(at);
    at += 4;
    for (let p = 0; p < partitions; p++) {
      const partition = frame.readInt32BE(at);
      const errorAt = at + 4;
      at += 4 + 2 + 8 + 8 + 8;
      at += 4 + Math.max(0, frame.readInt32BE(at)) * 16;
      at += 4;
      const size = frame.readInt32BE(at);
      at += 4;
      found.push({ partition, errorAt, recordsAt: at, size });
      at += Math.max(0, size);
    }
  }
  return found;
}

const ATTRIBUTES_AT = 21;
const GZIP = 1;
const TOPIC_AUTHORIZATION_FAILED = 29;

test.each([
  [
    'a batch that can’t be decoded',
    (frame: Buffer) => {
      // The header says that the records are compressed, but they are not.
      for (const { partition, recordsAt, size } of partitionsOf(frame))
        if (partition === BROKEN && size > 0) frame.writeInt16BE(GZIP, recordsAt + ATTRIBUTES_AT);
      return frame;
    },
    /^offset \d+: .*(header|zlib|gzip)/i,
  ],
  [
    'a partition that may not be read',
    (frame: Buffer) => {
      for (const { partition, errorAt } of partitionsOf(frame))
        if (partition === BROKEN) frame.writeInt16BE(TOPIC_AUTHORIZATION_FAILED, errorAt);
      return frame;
    },
    /refused \(authorization\): the user lacks a right to a topic/,
  ],
  [
    'a fetch that brings nothing of what is there',
    (frame: Buffer) => {
      // Its first batch claims to be longer than the answer.
      for (const { partition, recordsAt, size } of partitionsOf(frame))
        if (partition === BROKEN && size > 0) frame.writeInt32BE(1_000_000, recordsAt + 8);
      return frame;
    },
    /brings nothing, although the log ends at/,
  ],
])(
  '%s is named within 15 s, keeps no other partition waiting, and heals',
  { timeout: 90_000 },
  async (_, alter, reason) => {
    const topic = uniqueName('broken-partition');
    topics.push(topic);
    await admin.createTopics([{ topic, partitions: 4, replicationFactor: 1 }]);
    const lines: string[] = [];
    const note = (details: { reason?: string }, message: string) => lines.push(`${message} ${details.reason ?? ''}`);
    await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
    await using member = await GroupMember.join('m', {
      cluster: clusterAt(proxy.address),
      groupId: uniqueName('group'),
      topics: [topic],
      log: { info: note, warn: note, error: note },
    });
    await expect.poll(() => member.log, LONG).toEqual(['assigned 0,1,2,3']);
    proxy.alterAnswers('Fetch', alter);
    const count = (partition: number) => member.seen.filter((record) => record.partition === partition).length;
    let sent = 0;
    await expect
      .poll(
        async () => {
          await producer.send([0, 1, 2, 3].map((partition) => ({ topic, key: 'k', value: 'v', partition })));
          sent++;
          return member.consumer.health.standing;
        },
        { timeout: 15_000, interval: 250 },
      )
      .toEqual([
        { partition: { topic, partition: BROKEN }, reason: expect.stringMatching(reason), since: expect.any(Number) },
      ]);
    await expect.poll(() => [0, 1, 2, 3].map(count), LONG).toEqual([sent, sent, 0, sent]);
    expect(member.log).toEqual(['assigned 0,1,2,3']);

    proxy.alterAnswers('Fetch', undefined);
    await expect.poll(() => [0, 1, 2, 3].map(count), LONG).toEqual([sent, sent, sent, sent]);
    expect(member.consumer.health.standing).toEqual([]);
    expect(lines.filter((line) => line.startsWith('partition'))).toEqual([
      expect.stringMatching(/^partition stands .+/),
      'partition is fetched again ',
    ]);
  },
);

test('a partition that an answer has no room for is asked for again with the next fetch', async () => {
  const topic = uniqueName('crowded-out');
  topics.push(topic);
  await admin.createTopics([{ topic, partitions: 2, replicationFactor: 1 }]);
  await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
  await using member = await GroupMember.join('m', {
    cluster: clusterAt(proxy.address),
    groupId: uniqueName('group'),
    topics: [topic],
  });
  await expect.poll(() => member.log, LONG).toEqual(['assigned 0,1']);
  let isCrowded = false;
  const answeredLater: number[][] = [];
  // Takes the records of partition 1 out of the first answer that has records of both.
  proxy.alterAnswers('Fetch', (frame) => {
    const partitions = partitionsOf(frame);
    if (isCrowded) answeredLater.push(partitions.map(({ partition }) => partition));
    const [first, second] = [0, 1].map((wanted) =>
      partitions.find(({ partition, size }) => partition === wanted && size > 0),
    );
    if (isCrowded || first === undefined || second === undefined) return frame;
    isCrowded = true;
    const { recordsAt, size } = second;
    const shorter = Buffer.concat([frame.subarray(0, recordsAt), frame.subarray(recordsAt + size)]);
    shorter.writeInt32BE(0, recordsAt - 4);
    shorter.writeInt32BE(shorter.length - 4, 0);
    return shorter;
  });
  let sent = 0;
  await expect
    .poll(async () => {
      await producer.send([0, 1].map((partition) => ({ topic, key: 'k', value: 'v', partition })));
      sent++;
      return isCrowded;
    }, LONG)
    .toBe(true);
  const count = (partition: number) => member.seen.filter((record) => record.partition === partition).length;
  await expect.poll(() => [0, 1].map(count), LONG).toEqual([sent, sent]);
  expect(answeredLater[0]).toContain(1);
});
