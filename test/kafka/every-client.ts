// Uses each client of kafka/ once on a cluster. Used by the tests of secured clusters.

import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { topics } from '../../contracts/topics.ts';
import {
  createAdmin,
  createConsumer,
  createKafkajsProducer,
  createProducer,
  createTopicLog,
  readTopic,
} from '../../kafka/index.ts';

export const topic = topics.rawOrders;
const record = { topic, key: 'k', value: 'v' };
export type Use = (cluster: KafkaCluster) => Promise<unknown>;

export async function sendWith(create: typeof createProducer, cluster: KafkaCluster): Promise<void> {
  const producer = await create({ clientId: 'test', cluster, deadlineMs: 10_000 });
  await producer.send([record]).finally(() => producer.close());
}

export async function ask(cluster: KafkaCluster): Promise<void> {
  const admin = await createAdmin({ clientId: 'test', cluster });
  await admin.offsets(topic).finally(() => admin.close());
}

async function look(cluster: KafkaCluster): Promise<void> {
  const log = createTopicLog({ clientId: 'test', cluster, topic });
  await log.look([0]).finally(() => log.close());
}

const ignored = { onAssigned: async () => {}, onRevoked: async () => {}, onLost() {}, onBatch() {} };

async function join(cluster: KafkaCluster): Promise<void> {
  const options = { clientId: 'test', cluster, groupId: 'refused', topics: [topic] };
  await (await createConsumer(options, ignored)).close();
}

/** Every client of the room, each used once. */
export const clients: [string, Use][] = [
  ['the producer', (cluster) => sendWith(createProducer, cluster)],
  ['the producer on kafkajs', (cluster) => sendWith(createKafkajsProducer, cluster)],
  ['the admin client', ask],
  ['the reader', (cluster) => readTopic({ cluster, topic }, () => {})],
  ['the look at a log', look],
  ['the consumer', join],
];
