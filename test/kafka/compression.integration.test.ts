import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Admin,
  createAdmin,
  createKafkajsProducer,
  createProducer,
  RangeReader,
  readTopic,
} from '../../kafka/index.ts';
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

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const producers = { '@platformatic/kafka': createProducer, kafkajs: createKafkajsProducer };

test.each(codecs.flatMap((codec) => Object.entries(producers).map(([name, create]) => [codec, name, create] as const)))(
  'a topic that its broker compresses with %s, written by %s, is read by group and readers',
  async (codec, _, create) => {
    const topic = uniqueName(`compressed-${codec}`);
    created.push(topic);
    const config = { 'compression.type': codec };
    await admin.createTopics([{ topic, partitions: 1, replicationFactor: 1, config }]);
    const producer = await create({ clientId: 'test', cluster: servers().cluster, deadlineMs: 10_000 });
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
    const ranges = new RangeReader({ clientId: 'test', cluster: servers().cluster, topic });
    let records = 0;
    const bounds = { bytesMax: Number.POSITIVE_INFINITY, msMax: 30_000 };
    await ranges.read(0, 0, bounds, () => void records++).finally(() => ranges.close());
    expect(records).toBe(values.length);
  },
);
