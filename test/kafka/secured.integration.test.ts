import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { KafkaSecurity } from '../../contracts/config/kafka-security.ts';
import {
  aclsFor,
  applyAcls,
  createKafkajsProducer,
  createProducer,
  KafkaRefusedError,
  KafkaUnavailableError,
  type RecordProducer,
  readTopic,
} from '../../kafka/index.ts';
import { faultOf } from '../../runtime/outage.ts';
import { passwordFile, principals, userOf } from '../../stack/kafka/broker-security.ts';
import { type OwnBroker, startOwnBroker } from '../support/own-broker.ts';
import { ask, clients, sendWith, topic } from './every-client.ts';
import { GroupMember } from './group-member.ts';
import { setScramPassword } from './scram-user.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 240_000 });

/** kafkajs renews a session 10 s before its end, and Kafka takes no second renewal within a second. */
const SESSION_MS = 13_000;
const patience = { timeout: 120_000, interval: 50 };

let broker: OwnBroker;
beforeAll(async () => {
  // Sessions end so soon that every client has to authenticate again while a test runs.
  broker = await startOwnBroker({
    isSecured: true,
    settings: { 'listener.name.sasl_ssl.connections.max.reauth.ms': String(SESSION_MS) },
  });
  await broker.createTopic(topic, 2);
  await applyAcls(broker.cluster, aclsFor(principals(), []));
});
afterAll(() => broker?.[Symbol.asyncDispose]());

function clusterWith(changes: Partial<KafkaSecurity>): KafkaCluster {
  return { ...broker.cluster, security: { ...broker.cluster.security, ...changes } };
}

function clusterOfUser(user: string): KafkaCluster {
  return clusterWith({ username: user, password: { file: passwordFile(broker.security?.directory ?? '', user) } });
}

describe.each(clients)('%s', (_, use) => {
  test.each([
    ['a wrong password', () => clusterWith({ password: { text: 'wrong' } }), 'authentication'],
    ['a password that cannot be read', () => clusterWith({ password: { file: '/none/there' } }), 'authentication'],
    ['an unknown authority', () => clusterWith({ caFile: undefined }), 'tls'],
    [
      'no TLS where the broker takes TLS',
      () => ({ ...broker.cluster, security: { protocol: 'PLAINTEXT' } as const }),
      'tls',
    ],
  ] as const)('is told that Kafka refuses %s, which is no outage and no poison', async (_, cluster, reason) => {
    const error: unknown = await use(cluster()).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(KafkaRefusedError);
    expect(error).toMatchObject({ reason, message: expect.stringContaining(`refused (${reason})`) });
    expect(faultOf(error)).toBe('outage');
  });
});

test('a missing right is named, and a right that is there suffices', async () => {
  const gateway = clusterOfUser(userOf('gateway'));
  const payment = clusterOfUser(userOf('payment'));
  await sendWith(createProducer, gateway);
  for (const [, use] of clients.slice(0, 5)) {
    const error: unknown = await use(payment).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'KafkaRefusedError', reason: 'authorization' });
    expect((error as Error).message).toMatch(/raw-orders.*right to a topic/);
  }
});

test('a broker that is gone is an outage, not a refusal', async () => {
  const nowhere = { ...broker.cluster, brokers: ['127.0.0.1:1'] };
  for (const [, use] of clients) {
    const error: unknown = await use(nowhere).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(KafkaUnavailableError);
    expect(error).not.toBeInstanceOf(KafkaRefusedError);
  }
});

test('clients work on when their session has to be renewed, and nothing is lost or doubled', async () => {
  const own = 'renewed';
  await broker.createTopic(own, 1);
  await using member = await GroupMember.join('m', { cluster: broker.cluster, groupId: own, topics: [own] });
  const sent = await Promise.all(
    [createProducer, createKafkajsProducer].map(async (create, index) => {
      const producer = await create({ clientId: `test-${index}`, cluster: broker.cluster, deadlineMs: 60_000 });
      const until = performance.now() + 1.3 * SESSION_MS;
      const values: string[] = [];
      while (performance.now() < until) {
        const value = `${index}-${values.length}`;
        await producer.send([{ topic: own, key: 'k', value }]);
        values.push(value);
      }
      await producer.close();
      return values;
    }),
  );
  const values = sent.flat().sort();
  await vi.waitFor(() => expect(new Set(member.seen.map(({ value }) => value)).size).toBe(values.length), patience);
  const read: string[] = [];
  await readTopic({ cluster: broker.cluster, topic: own }, ({ value }) => void read.push(String(value)));
  expect(read.sort()).toEqual(values);
});

test('a password that is replaced under load needs no restart, and loses nothing', async () => {
  const user = userOf('gateway');
  const cluster = clusterOfUser(user);
  const producer: RecordProducer = await createProducer({ clientId: 'rotated', cluster, deadlineMs: 60_000 });
  let sending = true;
  let acknowledged = 0;
  const load = (async () => {
    for (; sending; acknowledged++) await producer.send([{ topic, key: 'rotated', value: String(acknowledged) }]);
  })();
  await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(0), patience);
  await setScramPassword(broker.cluster, 'SCRAM-SHA-512', user, 'the next one');
  // The old password is refused once the session ends: the records wait.
  await vi.waitFor(
    () => expect(sendWith(createProducer, cluster)).rejects.toThrow('refused (authentication)'),
    patience,
  );
  const before = acknowledged;
  writeFileSync(passwordFile(broker.security?.directory ?? '', user), 'the next one\n');
  await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(before + 1), patience);
  sending = false;
  await load;
  await producer.close();
  const read: string[] = [];
  await readTopic({ cluster: broker.cluster, topic }, ({ key, value }) => {
    if (String(key) === 'rotated') read.push(String(value));
  });
  expect(read).toEqual(Array.from({ length: acknowledged }, (_, n) => String(n)));
});

test('a certificate of the authority that is half written does not cut off a client', async () => {
  const file = path.join(broker.security?.directory ?? '', 'copy.pem');
  const { caFile = '' } = broker.cluster.security;
  writeFileSync(file, readFileSync(caFile));
  const cluster = clusterWith({ caFile: file });
  await ask(cluster);
  writeFileSync(file, '-----BEGIN CERT');
  await ask(cluster);
});
