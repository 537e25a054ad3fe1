import { randomUUID } from 'node:crypto';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { eventId, type OrderPaid } from '../../contracts/events.ts';
import { eventHeaders } from '../../contracts/headers.ts';
import type { Order } from '../../contracts/order/order.ts';
import { createAdmin, createProducer } from '../../kafka/index.ts';
import { createTraffic } from '../../lab/traffic/index.ts';

/**
 * Fills a topic with `order.paid` events that the bridge forwards.
 *
 *   KAFKA_BROKERS=… node perf/load/fill-paid-orders.ts TOPIC EVENTS
 */
const [topic, wanted] = process.argv.slice(2);
if (topic === undefined || wanted === undefined) throw new Error('usage: fill-paid-orders.ts TOPIC EVENTS');
const cluster = plainCluster((process.env.KAFKA_BROKERS ?? '').split(','));
const admin = await createAdmin({ clientId: 'fill-paid-orders', cluster });
await admin.createTopics([{ topic, partitions: 12, replicationFactor: 1 }]);
await admin.close();

const HIGH_VALUE = 10_000;
const traffic = createTraffic({ seed: 1 });
const producer = await createProducer({ clientId: 'fill-paid-orders', cluster, deadlineMs: 60_000 });
await producer.send(Array.from({ length: Number(wanted) }, paidOrder));
await producer.close();

function paidOrder() {
  const orderId = randomUUID();
  const occurredAt = new Date().toISOString();
  const order = JSON.parse(traffic.order(Date.now()).body) as Order;
  const { method } = order.payment;
  const event: OrderPaid = {
    orderId,
    storeId: order.storeId,
    occurredAt,
    total: HIGH_VALUE,
    currency: order.currency,
    order: { ...order, orderId, payment: { method } },
    payment: { method, reference: orderId },
  };
  const headers = eventHeaders({
    id: eventId(orderId, 'order.paid'),
    type: 'order.paid',
    source: '/ordermesh/payment',
    time: occurredAt,
    subject: orderId,
  });
  return { topic: topic ?? '', key: orderId, value: JSON.stringify(event), headers };
}
