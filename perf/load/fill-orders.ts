import { randomUUID } from 'node:crypto';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin, createProducer } from '../../kafka/index.ts';

/**
 * Fills a topic with valid orders of about 410 bytes, one a key.
 *
 *   KAFKA_BROKERS=… node perf/load/fill-orders.ts TOPIC MESSAGES [PARTITIONS]
 */
const [topic, wanted, partitions = '12'] = process.argv.slice(2);
if (topic === undefined || wanted === undefined) throw new Error('usage: fill-orders.ts TOPIC MESSAGES [PARTITIONS]');
const cluster = plainCluster((process.env.KAFKA_BROKERS ?? '').split(','));

const admin = await createAdmin({ clientId: 'fill-orders', cluster });
await admin.createTopics([{ topic, partitions: Number(partitions), replicationFactor: 1 }]);
await admin.close();

const producer = await createProducer({ clientId: 'fill-orders', cluster, deadlineMs: 60_000 });
const CHUNK = 5_000;
for (let sent = 0; sent < Number(wanted); sent += CHUNK) {
  const count = Math.min(CHUNK, Number(wanted) - sent);
  await producer.send(
    Array.from({ length: count }, () => {
      const orderId = randomUUID();
      return { topic, key: orderId, value: JSON.stringify(order(orderId)) };
    }),
  );
}
await producer.close();

function order(orderId: string) {
  const items = [
    { sku: 'double-cheeseburger', quantity: 2, unitPrice: 599, modifiers: [{ sku: 'no-onion', unitPrice: 0 }] },
    { sku: 'fries-large', quantity: 1, unitPrice: 349, modifiers: [] },
  ];
  return {
    orderId,
    storeId: 'us-il-0001',
    channel: 'pos',
    placedAt: new Date().toISOString(),
    currency: 'USD',
    items,
    total: 1_547,
    customerId: 'c-1',
    payment: { method: 'card', token: 'tok_visa' },
  };
}
