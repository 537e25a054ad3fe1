import { randomUUID } from 'node:crypto';
import { createPubSub, ensureTopology, googleCloudAddress } from '../../bridge/pubsub/index.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { dropPerfNames, perfNames } from '../load/bridge-names.ts';

/**
 * The ceiling of the bridge: publishes messages with ordering keys, as many at a time as the bridge does, and reads nothing from Kafka.
 *
 *   PUBSUB_EMULATOR_HOST=… node perf/limits/pubsub-publish.ts MESSAGES [AT_A_TIME]
 *
 * Prints one JSON line: messages per second.
 */
const [wanted, atATime = '512'] = process.argv.slice(2);
if (wanted === undefined) throw new Error('usage: pubsub-publish.ts MESSAGES [AT_A_TIME]');
const names = perfNames();
const pubSub = createPubSub(googleCloudAddress(loadConfig()));
await ensureTopology(pubSub, names, undefined);
const topic = pubSub.topic(names.topic, { messageOrdering: true, batching: { maxMessages: 1, maxMilliseconds: 1 } });
const data = Buffer.alloc(600, 'x');

let left = Number(wanted);
const startedAt = performance.now();
await Promise.all(Array.from({ length: Number(atATime) }, publishWhileLeft));
const seconds = (performance.now() - startedAt) / 1_000;
console.log(JSON.stringify({ messagesPerSecond: Math.round(Number(wanted) / seconds) }));
await dropPerfNames(pubSub, names);
process.exit();

async function publishWhileLeft(): Promise<void> {
  while (left-- > 0) {
    const orderId = randomUUID();
    await topic.publishMessage({
      data,
      orderingKey: orderId,
      attributes: { id: `${orderId}/order.paid`, type: 'order.paid' },
    });
  }
}
