// Sends the orders of the gateway beside it to Kafka. Called by gateway.ts.

import { randomBytes } from 'node:crypto';
import { Kafka, type Message, Partitioners } from 'kafkajs';
import type { Order } from '../../../contracts/order/order.ts';

export interface OrderProducer {
  /** Resolves when all in-sync replicas have the order. */
  append(order: Order): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  message: Message;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * kafkajs at the best settings found: idempotent, acks=all, and no send per order, which would be a request to each partition's leader per
 * order. What gathers while one send is in flight goes with the next; several sends at a time are slower, and would end the idempotence.
 */
export async function connectProducer(brokers: string[], topic: string): Promise<OrderProducer> {
  const producer = new Kafka({ clientId: 'fastify-kafkajs', brokers }).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  let waiting: Waiting[] = [];
  let sending = false;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await producer.send({ topic, acks: -1, messages: batch.map(({ message }) => message) });
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    sending = false;
  }

  return {
    append(order) {
      return new Promise((resolve, reject) => {
        waiting.push({ message: messageOf(order), resolve, reject });
        if (sending) return;
        sending = true;
        setImmediate(flush);
      });
    },
    close: () => producer.disconnect(),
  };
}

/** The same record as the gateway's: the order with the headers of its event. */
function messageOf(order: Order): Message {
  const ids = randomBytes(24).toString('hex');
  return {
    key: order.orderId,
    value: JSON.stringify(order),
    headers: {
      ce_specversion: '1.0',
      ce_id: `${order.orderId}/order.placed`,
      ce_source: '/fastify-kafkajs',
      ce_type: 'order.placed',
      ce_time: new Date().toISOString(),
      ce_subject: order.orderId,
      'content-type': 'application/json',
      traceparent: `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`,
    },
  };
}
