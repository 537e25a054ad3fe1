import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Admin, createAdmin, createProducer, KafkaUnavailableError } from '../../kafka/index.ts';
import { startKafkaProxy } from '../support/kafka-proxy.ts';
import { servers, uniqueName } from '../support/servers.ts';

const topic = uniqueName('failures');
let admin: Admin;

beforeAll(async () => {
  admin = await createAdmin({ clientId: 'test', brokers: servers().brokers });
  await admin.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]);
});
afterAll(async () => {
  await admin.deleteTopics([topic]);
  await admin.close();
});

it('says what kept a record from being acknowledged', async () => {
  await using proxy = await startKafkaProxy(servers().brokers[0] ?? '');
  const producer = await createProducer({ clientId: 'test', brokers: [proxy.address], deadlineMs: 1_000 });
  await producer.send([{ topic, key: 'a', value: 'before' }]);
  proxy.cut();
  const error = await producer.send([{ topic, key: 'a', value: 'during' }]).catch((failure: Error) => failure);
  expect(error).toBeInstanceOf(KafkaUnavailableError);
  const cause = (error as Error).cause as Error;
  expect(cause).toBeInstanceOf(Error);
  expect((error as Error).message).toContain(cause.message);
  await producer.close();
});

it('answers an error of its own at once, with the error, and goes on', async () => {
  const producer = await createProducer({ clientId: 'test', brokers: servers().brokers, deadlineMs: 600_000 });
  const broken = producer.send([{ topic, key: 'a', value: 'x', headers: { count: 5 as never } }]);
  await expect(broken).rejects.toThrow(KafkaUnavailableError);
  await expect(broken).rejects.toMatchObject({ cause: expect.any(RangeError) });
  await producer.send([{ topic, key: 'a', value: 'after' }]);
  await producer.close();
});
