// Fills a topic with messages of a size whose keys are more or less alike: `node perf/sweeps/fill-keys.ts TOPIC MESSAGES`. Run by the sweeps.

import { parseArgs } from 'node:util';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin, createProducer } from '../../kafka/index.ts';
import { createRandom, zipf } from '../../lab/traffic/index.ts';

/** Events of an order, on average: four to six. */
const EVENTS_OF_A_KEY = 5;
const CHUNK = 5_000;
const SEED = 4;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    partitions: { type: 'string', default: '12' },
    bytes: { type: 'string', default: '390' },
    /** Exponent of Zipf's law: 0 draws all keys alike. */
    skew: { type: 'string', default: '0' },
  },
});
const [topic, wanted] = positionals;
if (topic === undefined || wanted === undefined) throw new Error('usage: fill-keys.ts TOPIC MESSAGES');
const messages = Number(wanted);
const cluster = plainCluster((process.env.KAFKA_BROKERS ?? '').split(','));

const admin = await createAdmin({ clientId: 'fill-keys', cluster });
await admin.createTopics([{ topic, partitions: Number(values.partitions), replicationFactor: 1 }]);
await admin.close();

const keys = Array.from({ length: Math.ceil(messages / EVENTS_OF_A_KEY) }, (_, index) => `order-${index}`);
const random = createRandom(SEED);
const keyOf = zipf(keys, Number(values.skew));
const empty = JSON.stringify({ note: '' });
const value = JSON.stringify({ note: 'x'.repeat(Number(values.bytes) - empty.length) });
const producer = await createProducer({ clientId: 'fill-keys', cluster, deadlineMs: 60_000 });
for (let sent = 0; sent < messages; sent += CHUNK)
  await producer.send(
    Array.from({ length: Math.min(CHUNK, messages - sent) }, () => ({ topic, key: keyOf(random), value })),
  );
await producer.close();
