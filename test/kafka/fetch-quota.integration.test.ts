import { Admin } from '@platformatic/kafka';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProducer } from '../../kafka/index.ts';
import { platformaticOptions } from '../../kafka/security/client-options.ts';
import { type OwnBroker, startOwnBroker } from '../support/own-broker.ts';
import { GroupMember } from './group-member.ts';

const LONG = { timeout: 120_000, interval: 100 };
const TOPIC = 'orders';
const MEMBER = 'm';
/**
 * A fetch brings as much as the quota allows in ten seconds. Then the quota forbids the next fetch for about as long, which is longer than
 * a session timeout.
 */
const BYTES_PER_SECOND = 20_000;
const RECORDS = 30;
const RECORD_BYTES = 20_000;

let broker: OwnBroker;
beforeAll(async () => {
  broker = await startOwnBroker();
  await broker.createTopic(TOPIC, 1);
  const admin = new Admin({ clientId: 'test', ...platformaticOptions(broker.cluster) });
  await admin.alterClientQuotas({
    entries: [
      {
        entities: [{ entityType: 'client-id', entityName: MEMBER }],
        ops: [{ key: 'consumer_byte_rate', value: BYTES_PER_SECOND, remove: false }],
      },
    ],
  });
  await admin.close();
  const producer = await createProducer({ clientId: 'test', cluster: broker.cluster, deadlineMs: 30_000 });
  const value = Buffer.alloc(RECORD_BYTES);
  // Each record is a batch of its own: Kafka does not divide a batch, and a batch larger than the quota would never come.
  for (let n = 0; n < RECORDS; n++) await producer.send([{ topic: TOPIC, key: String(n), value }]);
  await producer.close();
}, 240_000);
afterAll(() => broker[Symbol.asyncDispose]());

test('a quota of the broker slows a member down, is named, and costs no membership', { timeout: 180_000 }, async () => {
  const lines: string[] = [];
  const note = (_: object, message: string) => lines.push(message);
  await using member = await GroupMember.join(MEMBER, {
    cluster: broker.cluster,
    groupId: 'group',
    topics: [TOPIC],
    log: { info: note, warn: note, error: note },
  });
  await expect.poll(() => member.seen.length, LONG).toBe(RECORDS);
  expect(member.log).toEqual(['assigned 0']);
  expect(member.consumer.health.restarts).toBe(0);
  expect(lines).toContain('a quota of the broker (consumer_byte_rate) slows down the fetches of this consumer');
});
