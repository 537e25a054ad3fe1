import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type KafkaCluster, plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { topics } from '../../contracts/topics.ts';
import { watchKafka } from '../../gateway/orders/kafka-health.ts';
import { createProducer, createTopicLog, KafkaSetupError, type RecordProducer, readTopic } from '../../kafka/index.ts';
import { kafkajsClient } from '../../kafka/kafkajs/kafkajs-client.ts';
import { PartitionFetcher } from '../../kafka/reader/partition-fetcher.ts';
import { describeError } from '../../runtime/outage.ts';
import { type OwnBroker, startOwnBroker } from '../support/own-broker.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const DENIED = topics.rawOrders;
const OPEN = 'open-orders';

let broker: OwnBroker;
let options: { clientId: string; cluster: KafkaCluster };
/** A producer that wrote to both topics before the permission for one of them was removed. */
let producer: RecordProducer;

beforeAll(async () => {
  broker = await startOwnBroker({
    // Everyone may do everything, so that one right can be taken away.
    isSecured: false,
    settings: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'allow.everyone.if.no.acl.found': 'true',
    },
  });
  options = { clientId: 'test', cluster: plainCluster([broker.address]) };
  await broker.createTopic(DENIED, 1);
  await broker.createTopic(OPEN, 1);
  producer = await createProducer({ ...options, deadlineMs: 20_000 });
  await producer.send([
    { topic: DENIED, key: 'k', value: 'v' },
    { topic: OPEN, key: 'k', value: 'v' },
  ]);
  const admin = kafkajsClient(options).admin();
  await admin.connect();
  await admin.createAcls({
    acl: [
      {
        resourceType: AclResourceTypes.TOPIC,
        resourceName: DENIED,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: 'User:ANONYMOUS',
        host: '*',
        operation: AclOperationTypes.ALL,
        permissionType: AclPermissionTypes.DENY,
      },
    ],
  });
  await vi.waitUntil(async () => !(await admin.listTopics()).includes(DENIED), { timeout: 30_000 });
  await admin.disconnect();
}, 240_000);
afterAll(async () => {
  await producer.close();
  await broker[Symbol.asyncDispose]();
});

test('a producer refuses the records of a topic that it may not describe, with the reason, and sends the others', async () => {
  const fresh = await createProducer({ ...options, deadlineMs: 20_000 });
  for (const each of [fresh, producer]) {
    const [denied, open] = await Promise.allSettled([
      each.send([{ topic: DENIED, key: 'k', value: 'v' }]),
      each.send([{ topic: OPEN, key: 'k', value: 'v' }]),
    ]);
    expect(open.status).toBe('fulfilled');
    expect(denied).toMatchObject({ reason: expect.any(KafkaSetupError) });
    expect(String((denied as PromiseRejectedResult).reason)).toContain(`topic ${DENIED}: TOPIC_AUTHORIZATION_FAILED`);
  }
  await fresh.close();
  expect(await readTopic({ cluster: options.cluster, topic: OPEN }, () => {})).toBe(3);
});

test('a look and a fetch say what is denied, and a topic that is hidden is not one that does not exist', async () => {
  const topicLog = createTopicLog({ ...options, topic: DENIED });
  await expect(topicLog.look([0])).rejects.toThrow('TOPIC_AUTHORIZATION_FAILED');
  await topicLog.close();
  const fetcher = new PartitionFetcher({ ...options, topic: DENIED });
  const failure: unknown = await fetcher.fetch(new Map([[0, 0]]), 0).catch((error: unknown) => error);
  expect(describeError(failure)).toContain('TOPIC_AUTHORIZATION_FAILED');
  await expect(fetcher.partitionCount()).rejects.toThrow('TOPIC_AUTHORIZATION_FAILED');
  await fetcher.close();
  const missing = createTopicLog({ ...options, topic: 'never-created' });
  expect(await missing.look([0])).toBeUndefined();
  await missing.close();
});

test('the gateway’s readiness names the denied topic', async () => {
  const health = watchKafka(options.cluster);
  await expect.poll(() => health.outage(), { timeout: 30_000 }).toContain('TOPIC_AUTHORIZATION_FAILED');
  expect(health.reason()).not.toContain('does not exist');
  health.close();
});
