import { createRequire } from 'node:module';
import './kafkajs-numbers.ts';
import type { PackedHeaders } from './packed-headers.ts';

/**
 * The few places where kafkajs must be reached below its public interface. kafkajs 2.2.4 is its last release (2023) and pinned
 * exactly, so these do not move; the version is checked all the same.
 */
const require = createRequire(import.meta.url);

const { version } = require('kafkajs/package.json') as { version: string };
if (version !== '2.2.4') throw new Error(`kafkajs is ${version}; its internals are known for 2.2.4 only`);

/** kafkajs's view of one membership: src/consumer/consumerGroup.js. */
export interface ConsumerGroupInternals {
  readonly groupId: string;
  readonly cluster: object;
  readonly generationId: number | null;
  readonly memberId: string | null;
  readonly coordinator: {
    heartbeat(request: { groupId: string; memberId: string; groupGenerationId: number }): Promise<unknown>;
  } | null;
  /** One OffsetCommit request in the current generation; rejects with the protocol's error, without retries. */
  commitOffsets(offsets: {
    topics: { topic: string; partitions: { partition: number; offset: string; metadata: null }[] }[];
  }): Promise<void>;
  joinAndSync(): Promise<void>;
}

const beforeJoin = new WeakMap<object, (group: ConsumerGroupInternals) => Promise<void>>();

/**
 * Calls `hook` before every (re)join of the consumer that uses this cluster object, and waits for it. kafkajs itself gives no such
 * moment: on a rebalance it joins at once, and an idle consumer notices the rebalance without any of the owner's code in between.
 * The cluster object is what a partition assigner's factory is given, which makes the hook a consumer's own.
 */
export function onBeforeJoin(cluster: object, hook: (group: ConsumerGroupInternals) => Promise<void>): void {
  beforeJoin.set(cluster, hook);
}

const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup.js') as { prototype: ConsumerGroupInternals };
const { joinAndSync } = ConsumerGroup.prototype;
ConsumerGroup.prototype.joinAndSync = async function (this: ConsumerGroupInternals) {
  await beforeJoin.get(this.cluster)?.(this);
  return joinAndSync.call(this);
};

interface RequestQueueInternals {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: unknown;
  scheduleCheckPendingRequests(): void;
}

const RequestQueue = require('kafkajs/src/network/requestQueue/index.js') as { prototype: RequestQueueInternals };
const { scheduleCheckPendingRequests } = RequestQueue.prototype;
/** With nothing pending kafkajs sets a timer with a negative delay, which Node 24 warns of (tulios/kafkajs#1751). It has nothing to check then. */
RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueueInternals) {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) scheduleCheckPendingRequests.call(this);
};

interface BrokerPoolInternals {
  seedBroker: { connect(): Promise<void> };
  createSeedBroker(): Promise<void>;
}

/** A connection that was taken and then closed or left without an answer: a proxy before a dead broker, or a broker that is stopped. */
const noAnswer: ReadonlySet<string> = new Set(['KafkaJSConnectionClosedError', 'KafkaJSRequestTimeoutError']);

/** kafkajs turns to the next bootstrap broker after a refused connection only (src/cluster/brokerPool.js), and tells it by the error's name. */
const BrokerPool = require('kafkajs/src/cluster/brokerPool.js') as { prototype: BrokerPoolInternals };
const { createSeedBroker } = BrokerPool.prototype;
BrokerPool.prototype.createSeedBroker = async function (this: BrokerPoolInternals) {
  await createSeedBroker.call(this);
  const { seedBroker } = this;
  const connect = seedBroker.connect.bind(seedBroker);
  seedBroker.connect = () =>
    connect().catch((error: Error) => {
      if (noAnswer.has(error.name)) error.name = 'KafkaJSConnectionError';
      throw error;
    });
};

/** What stands in a message for its headers. */
export class UndecodedHeaders implements PackedHeaders {
  static readonly none = new UndecodedHeaders(Buffer.from([0]), 0);
  readonly buffer: Buffer;
  readonly start: number;

  constructor(buffer: Buffer, start: number) {
    this.buffer = buffer;
    this.start = start;
  }
}

interface DecoderInternals {
  buffer: Buffer;
  offset: number;
  readVarIntArray(): { reduce(): UndecodedHeaders };
}

/**
 * kafkajs decodes every header of every record into objects, which costs as much as all the rest of a record. This method is
 * called for headers only, the last part of a record, and what its array is reduced to becomes the message's `headers`.
 */
const Decoder = require('kafkajs/src/protocol/decoder.js') as { prototype: DecoderInternals };
Decoder.prototype.readVarIntArray = function (this: DecoderInternals) {
  const { buffer, offset } = this;
  return { reduce: () => new UndecodedHeaders(buffer, offset) };
};
