// Fills a topic with order events for the same work. Started by perf/benches/peers.ts.

import { plainCluster } from '../../../contracts/config/kafka-cluster.ts';
import { createAdmin, createProducer } from '../../../kafka/index.ts';
import { createRandom } from '../../../lab/traffic/index.ts';
import { type OrderEvent, PARTITIONS } from './work.ts';

/** Orders whose events come interleaved, as from the stores of a chain. */
const ORDERS_OPEN = 1_000;
const EVENTS_MIN = 4;
const EVENTS_MAX = 6;
const TOTALS = { from: 500, below: 4_500 };
const CHUNK = 5_000;

type Random = ReturnType<typeof createRandom>;

const [brokers, topic, wanted] = process.argv.slice(2);
if (brokers === undefined || topic === undefined) throw new Error('usage: fill.ts BROKERS TOPIC RECORDS');
const cluster = plainCluster(brokers.split(','));
const admin = await createAdmin({ clientId: 'fill-same-work', cluster });
await admin.createTopics([{ topic, partitions: PARTITIONS, replicationFactor: 1 }]);
await admin.close();

const producer = await createProducer({ clientId: 'fill-same-work', cluster, deadlineMs: 60_000 });
const events = orderEvents(createRandom(1));
for (let left = Number(wanted); left > 0; left -= CHUNK) {
  const chunk = Array.from({ length: Math.min(CHUNK, left) }, () => events());
  await producer.send(chunk.map((event) => ({ topic, key: event.orderId, value: JSON.stringify(event) })));
}
await producer.close();

/** Each call gives the next event: of orders of four to six events each, in the order of each order. */
function orderEvents(random: Random): () => OrderEvent {
  let opened = 0;
  const open = () => ({
    order: order(`order-${String(++opened).padStart(12, '0')}`, random),
    sequence: 0,
    last: EVENTS_MIN + random.integer(EVENTS_MAX - EVENTS_MIN + 1),
  });
  const orders = Array.from({ length: ORDERS_OPEN }, open);
  return () => {
    const place = random.integer(ORDERS_OPEN);
    const current = orders[place] ?? open();
    current.sequence++;
    if (current.sequence === current.last) orders[place] = open();
    return { ...current.order, sequence: current.sequence };
  };
}

/** About 400 bytes as JSON. */
function order(orderId: string, random: Random) {
  return {
    orderId,
    storeId: `us-il-${String(random.integer(400)).padStart(4, '0')}`,
    channel: 'pos',
    occurredAt: '2026-11-30T12:00:00.000Z',
    currency: 'USD',
    items: [
      { sku: 'double-cheeseburger', quantity: 2, unitPrice: 599, modifiers: ['no-onion'] },
      { sku: 'fries-large', quantity: 1, unitPrice: 349, modifiers: [] },
    ],
    total: TOTALS.from + random.integer(TOTALS.below - TOTALS.from),
    customerId: `c-${random.integer(100_000)}`,
    payment: { method: 'card', reference: 'ch_3MqZlP2eZvKYlo2C1FJm8ZyQ' },
  };
}
