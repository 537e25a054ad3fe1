import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import {
  createAdmin,
  createConsumer,
  createKafkajsProducer,
  createProducer,
  type RecordProducer,
  readTopic,
} from '../../kafka/index.ts';
import { clusterAt, servers, uniqueName } from '../support/servers.ts';

/** A server that accepts every connection and closes it at once, like a proxy whose broker is dead. */
let dead: Server;
/** The dead broker is listed several times before the others, so that every client meets it first. */
let bootstrap: KafkaCluster;
let topic: string;

beforeEach(async () => {
  dead = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(dead.address() as AddressInfo).port}`;
  bootstrap = clusterAt(address, address, ...servers().cluster.brokers);
  topic = uniqueName('silent');
  const admin = await createAdmin({ clientId: 'test', cluster: servers().cluster });
  await admin.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]);
  await admin.close();
});

afterEach(() => new Promise<unknown>((resolve) => dead.close(resolve)));

describe('a bootstrap broker that takes connections and does not answer', () => {
  test.each([
    ['@platformatic/kafka', createProducer],
    ['kafkajs', createKafkajsProducer],
  ])('does not keep a producer on %s from the others', async (_, create) => {
    const producer: RecordProducer = await create({ clientId: 'test', cluster: bootstrap, deadlineMs: 10_000 });
    await producer.send([{ topic, key: 'a', value: '{}', headers: {} }]);
    await producer.close();
    expect(await readTopic({ cluster: servers().cluster, topic }, () => {})).toBe(1);
  });

  test('does not keep a reader, an admin or a consumer from the others', async () => {
    expect(await readTopic({ cluster: bootstrap, topic }, () => {})).toBe(0);
    const admin = await createAdmin({ clientId: 'test', cluster: bootstrap });
    expect(await admin.offsets(topic)).toHaveLength(1);
    await admin.close();
    const assigned = Promise.withResolvers<void>();
    const consumer = await createConsumer(
      { clientId: 'test', cluster: bootstrap, groupId: topic, topics: [topic] },
      { onAssigned: async () => assigned.resolve(), onRevoked: async () => {}, onLost: () => {}, onBatch: () => {} },
    );
    await assigned.promise;
    await consumer.close();
  });
});
