import { randomUUID } from 'node:crypto';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { eventId } from '../../contracts/events.ts';
import { eventHeaders } from '../../contracts/headers.ts';
import { topics } from '../../contracts/topics.ts';
import { createProducer } from '../../kafka/index.ts';
import { createTraffic } from '../../lab/traffic/index.ts';

/**
 * Fills `raw-orders` with valid orders of the simulated chain, as the gateway would have written them.
 *
 *   KAFKA_BROKERS=… node perf/load/fill-raw-orders.ts ORDERS [SEED]
 */
const [orders, seed = '1'] = process.argv.slice(2);
if (orders === undefined) throw new Error('usage: fill-raw-orders.ts ORDERS [SEED]');
const cluster = plainCluster((process.env.KAFKA_BROKERS ?? '').split(','));
const producer = await createProducer({ clientId: 'fill-raw-orders', cluster, deadlineMs: 60_000 });
const traffic = createTraffic({ seed: Number(seed) });
const CHUNK = 2_000;

for (let sent = 0; sent < Number(orders); sent += CHUNK) {
  const count = Math.min(CHUNK, Number(orders) - sent);
  await producer.send(
    Array.from({ length: count }, () => {
      const now = Date.now();
      const { body, orderId = randomUUID() } = traffic.order(now);
      const headers = eventHeaders({
        id: eventId(orderId, 'order.placed'),
        type: 'order.placed',
        source: '/ordermesh/gateway/local',
        time: new Date(now).toISOString(),
        subject: orderId,
      });
      return { topic: topics.rawOrders, key: orderId, value: body, headers };
    }),
  );
}
await producer.close();
