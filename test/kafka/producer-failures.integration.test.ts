import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Admin,
  createAdmin,
  createProducer,
  KafkaUnavailableError,
  PartitionUnavailableError,
  readTopic,
} from '../../kafka/index.ts';
import { startKafkaProxy } from '../support/kafka-proxy.ts';
import { clusterAt, servers, uniqueName } from '../support/servers.ts';

const topic = uniqueName('failures');
let admin: Admin;

beforeAll(async () => {
  admin = await createAdmin({ clientId: 'test', cluster: servers().cluster });
  await admin.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]);
});
afterAll(async () => {
  await admin.deleteTopics([topic]);
  await admin.close();
});

test('says what kept a record from being acknowledged', async () => {
  await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
  const producer = await createProducer({ clientId: 'test', cluster: clusterAt(proxy.address), deadlineMs: 1_000 });
  await producer.send([{ topic, key: 'a', value: 'before' }]);
  proxy.cut();
  const error = await producer.send([{ topic, key: 'a', value: 'during' }]).catch((failure: Error) => failure);
  expect(error).toBeInstanceOf(KafkaUnavailableError);
  const cause = (error as Error).cause as Error;
  expect(cause).toBeInstanceOf(Error);
  expect((error as Error).message).toContain(cause.message);
  await producer.close();
});

test('answers an error of its own at once, with the error, and goes on', async () => {
  const producer = await createProducer({ clientId: 'test', cluster: servers().cluster, deadlineMs: 600_000 });
  const broken = producer.send([{ topic, key: 'a', value: 'x', headers: { count: 5 as never } }]);
  await expect(broken).rejects.toThrow(KafkaUnavailableError);
  await expect(broken).rejects.toMatchObject({ cause: expect.any(RangeError) });
  await producer.send([{ topic, key: 'a', value: 'after' }]);
  await producer.close();
});

const LEADER_NOT_AVAILABLE = 5;
/** In an answer to Metadata, version 12: the topic's id, whether it is internal, and how many partitions it has, before the first partition. */
const PARTITION_BEHIND_NAME = 16 + 1 + 1;

function withoutLeader(frame: Buffer): Buffer {
  const name = frame.indexOf(topic);
  if (name < 0) return frame;
  const at = name + topic.length + PARTITION_BEHIND_NAME;
  frame.writeInt16BE(LEADER_NOT_AVAILABLE, at);
  frame.writeInt32BE(-1, at + 2 + 4);
  return frame;
}

test('a record after one that was refused without an answer is appended, whatever became of the other', async () => {
  await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
  const producer = await createProducer({ clientId: 'refused', cluster: clusterAt(proxy.address), deadlineMs: 60_000 });
  const send = (value: string) => producer.send([{ topic, key: 'a', value }]);
  await send('first');
  // The leader takes the record, dies before its answer, and comes back.
  const lost = proxy.loseAnswer('Produce', 'connection closed', 'refused');
  proxy.alterAnswers('Metadata', withoutLeader);
  await expect(send('refused')).rejects.toThrow(PartitionUnavailableError);
  await lost;
  proxy.alterAnswers('Metadata', undefined);
  await expect.poll(() => send('next').then(() => 'acknowledged', String), { timeout: 30_000 }).toBe('acknowledged');
  await producer.close();
  const values: string[] = [];
  await readTopic({ cluster: servers().cluster, topic }, ({ value }) => void values.push(String(value)));
  expect(values.slice(-3)).toEqual(['first', 'refused', 'next']);
});
