// The actor of the bridge: publishes high-value events to Pub/Sub. The runtime creates it in each slot's thread.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { EventType } from '../contracts/events.ts';
import { type Actor, type ActorContext, type Message, skip } from '../runtime/actor.ts';
import { acceptedAtOf, createOrderAge } from '../telemetry/order-age.ts';
import { highValueRule, isHighValue } from './filter.ts';
import { createPubSub, type GoogleCloudAddress, type GoogleCloudNames } from './pubsub/google-cloud.ts';
import { OrderedPublisher } from './pubsub/ordered-publisher.ts';
import { type OutgoingMessage, outgoingMessage } from './pubsub/outgoing-message.ts';
import { checkTopology } from './pubsub/topology.ts';

/** Plain data: it crosses the thread boundary. */
export interface BridgeSettings {
  address: GoogleCloudAddress;
  names: GoogleCloudNames;
  eventTypes: EventType[];
  minTotal: number;
  outstandingMessagesMax: number;
  outstandingBytesMax: number;
  publishDeadlineMs: number;
}

/**
 * Forwards high-value events to Pub/Sub. The publish is this actor's `prepare`, so an order has one message in flight at a time. While
 * Pub/Sub is down, the publish is repeated and the partition is paused. Kafka's offset is committed only after the acknowledgement. There
 * are no effects in a store; a message that is published twice has the same id, and readers count it once.
 */
export function createActor({ settings, registry }: ActorContext<BridgeSettings>): Actor<OutgoingMessage, void> {
  const { address, names, minTotal } = settings;
  const pubSub = createPubSub(address);
  const publisher = new OrderedPublisher(pubSub, {
    topic: names.topic,
    messagesMax: settings.outstandingMessagesMax,
    bytesMax: settings.outstandingBytesMax,
    deadlineMs: settings.publishDeadlineMs,
    // The upkeep of the role creates what is missing and logs it.
    checkTopology: () => checkTopology(pubSub, names),
  });
  const rule = highValueRule(settings.eventTypes, minTotal);
  const metrics = bridgeMetrics(registry, () => publisher.outstanding);
  return {
    decode(message) {
      const { value, headers } = message;
      // A tombstone is no event; no role of Ordermesh writes tombstones.
      if (value === null) return skip;
      if (!isHighValue(rule, eventType(message), () => JSON.parse(value.toString('utf8')))) {
        metrics.filtered.inc();
        return skip;
      }
      return outgoingMessage({ key: message.key, offset: message.offset, value, headers });
    },
    async prepare(outgoing) {
      const stop = metrics.publishSeconds.startTimer();
      try {
        await publisher.publish(outgoing);
      } catch (error) {
        metrics.failures.inc();
        throw error;
      }
      stop();
      metrics.published.inc();
      const acceptedAtMs = acceptedAtOf(outgoing.attributes.acceptedtime);
      if (acceptedAtMs !== undefined) metrics.orderAge(acceptedAtMs);
    },
    async close() {
      await pubSub.close();
    },
  };
}

function eventType(message: Message): string {
  const type = message.header('ce_type');
  if (type === undefined) throw new TypeError('header ce_type is missing; every event carries it');
  return type;
}

function bridgeMetrics(registry: Registry, outstanding: () => { messages: number; bytes: number }) {
  const registers = [registry];
  new Gauge({
    name: 'ordermesh_bridge_outstanding_messages',
    help: 'Messages in flight to Pub/Sub.',
    registers,
    collect() {
      this.set(outstanding().messages);
    },
  });
  new Gauge({
    name: 'ordermesh_bridge_outstanding_bytes',
    help: 'Bytes in flight to Pub/Sub.',
    registers,
    collect() {
      this.set(outstanding().bytes);
    },
  });
  return {
    orderAge: createOrderAge(registry, 'bridged'),
    published: new Counter({
      name: 'ordermesh_bridge_published_total',
      help: 'Events that Pub/Sub acknowledged.',
      registers,
    }),
    filtered: new Counter({
      name: 'ordermesh_bridge_filtered_total',
      help: 'Events that are not of high value and stay in Kafka.',
      registers,
    }),
    failures: new Counter({
      name: 'ordermesh_bridge_publish_failures_total',
      help: 'Publishes that failed; each is repeated, or parked when Pub/Sub refuses the message.',
      registers,
    }),
    publishSeconds: new Histogram({
      name: 'ordermesh_bridge_publish_seconds',
      help: 'From the hand-over to the acknowledgement of a publish that succeeded, waiting for room included.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
  };
}
