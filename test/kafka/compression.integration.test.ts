import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Admin, createAdmin, createProducer, readTopic } from '../../kafka/index.ts';
import { servers, uniqueName } from '../support/servers.ts';
import { GroupMember } from './group-member.ts';

let admin: Admin;
const created: string[] = [];

beforeAll(async () => {
  admin = await createAdmin({ clientId: 'test', cluster: servers().cluster });
});
afterAll(async () => {
  await admin.deleteTopics(created);
  await admin.close();
});

test.each(['gzip', 'snappy', 'lz4', 'zstd'])(
  'a topic that its broker compresses with %s is read by group and reader',
  async (codec) => {
    const topic = uniqueName(`compressed-${codec}`);
    created.push(topic);
    const config = { 'compression.type': codec };
    await admin.createTopics([{ topic, partitions: 1, replicationFactor: 1, config }]);
    const producer = await createProducer({ clientId: 'test', cluster: servers().cluster, deadlineMs: 10_000 });
    // Similar records, so that compression helps, and more than one block of any codec.
    const values = Array.from({ length: 500 }, (_, n) => `order ${n} ${'double-cheeseburger '.repeat(20)}`);
    await producer.send(values.map((value, n) => ({ topic, key: 'a', value, headers: { n: String(n) } })));
    await producer.close();

    await using member = await GroupMember.join('m', { cluster: servers().cluster, groupId: topic, topics: [topic] });
    await expect.poll(() => member.seen.length, { timeout: 30_000 }).toBe(values.length);
    expect(member.seen.map(({ value }) => value)).toEqual(values);
    const read: string[] = [];
    await readTopic({ cluster: servers().cluster, topic }, ({ value, headers }) => {
      read.push(`${value}${headers.n}`);
    });
    expect(read).toEqual(values.map((value, n) => `${value}${n}`));
  },
);
