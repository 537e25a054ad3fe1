import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { goOnWithoutLeaders, leaderlessIn } from './kafkajs-leaders.ts';
import './kafkajs-numbers.ts';
import type { PackedHeaders } from './packed-headers.ts';

/**
 * The few places where kafkajs must be reached below its public interface. kafkajs 2.2.4 is its last release (2023) and pinned
 * exactly, so these do not move; the version is checked all the same.
 */
const require = createRequire(import.meta.url);

const { version } = require('kafkajs/package.json') as { version: string };
if (version !== '2.2.4') throw new Error(`kafkajs is ${version}; its internals are known for 2.2.4 only`);

/** A broker as kafkajs sees it: src/broker/index.js. */
export interface CoordinatorInternals {
  heartbeat(request: { groupId: string; memberId: string; groupGenerationId: number }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  describeGroups(request: { groupIds: string[] }): Promise<{
    groups: { groupId: string; state: string; members: { memberId: string; memberAssignment: Buffer }[] }[];
  }>;
}

/** kafkajs's view of one membership: src/consumer/consumerGroup.js. */
export interface ConsumerGroupInternals {
  readonly groupId: string;
  readonly cluster: { readonly brokerPool: GroupBrokers };
  readonly generationId: number | null;
  readonly memberId: string | null;
  readonly coordinator: CoordinatorInternals | null;
  /** One OffsetCommit request in the current generation; rejects with the protocol's error, without retries. */
  commitOffsets(offsets: {
    topics: { topic: string; partitions: { partition: number; offset: string; metadata: null }[] }[];
  }): Promise<void>;
  assigned(): { topic: string; partitions: number[] }[];
  joinAndSync(): Promise<void>;
  fetch(nodeId: number): Promise<BatchInternals[]>;
  recoverFromFetch(error: Error): Promise<void>;
}

/** src/cluster/brokerPool.js */
interface GroupBrokers {
  readonly brokers: Readonly<Record<string, GroupBroker>>;
  metadataExpireAt: number | null;
}

/** src/broker/index.js. A broker's second connection is for fetches alone. */
interface GroupBroker {
  readonly connectionPool: {
    host: string;
    port: number;
    pool: [unknown, { requestQueue: { throttledUntil: number } }];
  };
  isConnected(): boolean;
  disconnect(): Promise<void>;
}

interface BatchInternals {
  topic: string;
  partition: number;
  fetchedOffset: string;
  highWatermark: string;
  rawMessages: unknown[];
}

/** What the owner of a consumer is told of its membership. kafkajs itself tells too little: see the methods. */
export interface GroupHooks {
  /**
   * Before every (re)join, which waits for it, and does not happen when it rejects. kafkajs joins at once on a rebalance, and an idle consumer
   * notices the rebalance without any of the owner's code in between.
   */
  beforeJoin(group: ConsumerGroupInternals): Promise<void>;
  /** The join has an assignment. When it throws, the client ends. */
  joined(group: ConsumerGroupInternals): void;
  /**
   * The join has ended without an assignment. kafkajs does not say so: it goes on to fetch what it had before, its heartbeats count, and no
   * assignment ever comes.
   */
  joinFailed(error: unknown): void;
  /** A fetch was answered for a partition. `failure`: why it brought nothing, although something is there. */
  fetched(partition: { topic: string; partition: number }, failure: string | undefined): void;
  /** A fetch failed as a whole; kafkajs tries again. */
  fetchFailed(error: unknown): void;
  /** A broker's quota forbids the next fetch from it for this long, in milliseconds. */
  throttled(forMs: number): void;
}

const hooksOf = new WeakMap<object, GroupHooks>();

/** The cluster object is what a partition assigner's factory is given, which makes the hooks a consumer's own. */
export function watchGroup(cluster: object, hooks: GroupHooks): void {
  hooksOf.set(cluster, hooks);
  goOnWithoutLeaders(cluster);
}

const joins = new WeakMap<ConsumerGroupInternals, Promise<void>>();

const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup.js') as { prototype: ConsumerGroupInternals };
const { joinAndSync, fetch, recoverFromFetch } = ConsumerGroup.prototype;
/** With several brokers several fetchers may find out about a rebalance, each of which would join: they share one join. */
ConsumerGroup.prototype.joinAndSync = function (this: ConsumerGroupInternals) {
  const hooks = hooksOf.get(this.cluster);
  if (hooks === undefined) return joinAndSync.call(this);
  const joining = joins.get(this) ?? joinWith(this, hooks).finally(() => joins.delete(this));
  joins.set(this, joining);
  return joining;
};

async function joinWith(group: ConsumerGroupInternals, hooks: GroupHooks): Promise<void> {
  await hooks.beforeJoin(group);
  try {
    await joinAndSync.call(group);
  } catch (error) {
    hooks.joinFailed(error);
    throw error;
  }
  hooks.joined(group);
}

/** A shorter throttle is ordinary: it costs no more than the wait of an idle fetch. */
const THROTTLED_MS_MIN = 1_000;
/** Each answer about partitions without a leader is told once. */
const toldLeaderless = new WeakMap<object, ReadonlyMap<string, ReadonlySet<number>>>();

/** Why the data of a partition could not be used, by the array of messages that stands for it. */
const failures = new WeakMap<unknown[], Error>();

ConsumerGroup.prototype.fetch = async function (this: ConsumerGroupInternals, nodeId) {
  const batches = await fetch.call(this, nodeId);
  const hooks = hooksOf.get(this.cluster);
  if (hooks === undefined) return batches;
  for (const batch of batches) hooks.fetched(batch, failureOf(batch));
  const without = leaderlessIn(this.cluster);
  if (without !== undefined && toldLeaderless.get(this.cluster) !== without) {
    toldLeaderless.set(this.cluster, without);
    for (const { topic, partitions } of this.assigned())
      for (const partition of partitions)
        if (without.get(topic)?.has(partition) === true) hooks.fetched({ topic, partition }, 'it has no leader');
  }
  const fetches = this.cluster.brokerPool.brokers[nodeId]?.connectionPool.pool[1];
  const throttledMs = (fetches?.requestQueue.throttledUntil ?? 0) - Date.now();
  if (throttledMs > THROTTLED_MS_MIN) hooks.throttled(throttledMs);
  return batches;
};

function failureOf({ fetchedOffset, highWatermark, rawMessages }: BatchInternals): string | undefined {
  if (rawMessages.length > 0) return undefined;
  const failure = failures.get(rawMessages);
  if (failure !== undefined) return `offset ${fetchedOffset}: ${failure.message}`;
  return Number(highWatermark) > Number(fetchedOffset)
    ? `offset ${fetchedOffset}: the fetch brings nothing, although the log ends at ${highWatermark}`
    : undefined;
}

/**
 * A broker that refuses connections or does not answer fails its own fetches only, while there are others. kafkajs gives up after four attempts and
 * the client ends, with the partitions of all brokers. After the pause the fetch asks who leads now, on a new connection.
 */
ConsumerGroup.prototype.recoverFromFetch = async function (this: ConsumerGroupInternals, error) {
  hooksOf.get(this.cluster)?.fetchFailed(error);
  const { brokerPool } = this.cluster;
  const brokers = Object.values(brokerPool.brokers);
  const address = silentBroker(error);
  const silent = brokers.find(({ connectionPool: { host, port } }) => `${host}:${port}` === address);
  if (silent === undefined || brokers.length === 1) return recoverFromFetch.call(this, error);
  // It ends when its requests have had an answer or none in time. Nothing depends on it.
  if (silent.isConnected()) silent.disconnect().catch(() => {});
  brokerPool.metadataExpireAt = null;
  await delay(SILENT_BROKER_PAUSE_MS);
};

/** `host:port` of the broker that a request had no answer from, or that could not be reached. */
function silentBroker(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, broker } = error as Error & { broker?: unknown };
  if (typeof broker === 'string' && silence.has(name)) return broker;
  return silentBroker(error.cause);
}

/** The errors of one partition that kafkajs acts on: it joins again or looks for the leader. Any other is that partition's alone. */
const handledByKafkajs: ReadonlySet<string> = new Set([
  'OFFSET_OUT_OF_RANGE',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_OR_PARTITION',
]);

interface FetchDecoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(length: number): Buffer;
  canReadBytes(length: number): boolean;
  readArray<T>(read: (decoder: FetchDecoder) => T): T[];
  readArrayAsync<T>(read: (decoder: FetchDecoder) => Promise<T>): Promise<T[]>;
}

/** src/protocol/recordBatch/v0/decoder.js */
interface RecordBatch {
  firstOffset: string;
  lastOffsetDelta: number;
  records: unknown[];
}

const FetchDecoder = require('kafkajs/src/protocol/decoder.js') as { new (buffer: Buffer): FetchDecoder };
const fetchResponse = require('kafkajs/src/protocol/requests/fetch/v11/response.js') as {
  decode(rawData: Buffer): Promise<object>;
};
const decodeMessageSet = require('kafkajs/src/protocol/messageSet/decoder.js') as (
  decoder: FetchDecoder,
  size: number,
) => Promise<unknown[]>;
const decodeRecordBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
  decoder: FetchDecoder,
) => Promise<RecordBatch>;
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  createErrorFromCode(code: number): Error & { type: string };
};
const RECORD_BATCH_OVERHEAD = 49;
const MAGIC_AT = 16;
const MAGIC_OF_BATCHES = 2;

/**
 * As kafkajs decodes the answer to a fetch, but what is wrong with one partition stays that partition's: kafkajs throws the whole answer away, so that one
 * batch that can't be decoded, or one topic without permission, stops every partition of a broker.
 */
fetchResponse.decode = async (rawData) => {
  const decoder = new FetchDecoder(rawData);
  const clientSideThrottleTime = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const sessionId = decoder.readInt32();
  const responses = await decoder.readArrayAsync(async (ofTopic) => ({
    topicName: ofTopic.readString(),
    partitions: await ofTopic.readArrayAsync(decodePartition),
  }));
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
};

async function decodePartition(decoder: FetchDecoder) {
  const partition = decoder.readInt32();
  const code = decoder.readInt16();
  const header = {
    partition,
    errorCode: code,
    highWatermark: decoder.readInt64().toString(),
    lastStableOffset: decoder.readInt64().toString(),
    lastStartOffset: decoder.readInt64().toString(),
    abortedTransactions: decoder.readArray((of) => ({
      producerId: of.readInt64().toString(),
      firstOffset: of.readInt64().toString(),
    })),
    preferredReadReplica: decoder.readInt32(),
  };
  const messages = await decodeMessages(decoder);
  const error = code === 0 ? undefined : createErrorFromCode(code);
  if (error === undefined || handledByKafkajs.has(error.type)) return { ...header, messages };
  const nothing: unknown[] = [];
  failures.set(nothing, error);
  return { ...header, errorCode: 0, messages: nothing };
}

/** Record batch by record batch: those before one that can't be decoded count, and the next fetch begins with that one. */
async function decodeMessages(decoder: FetchDecoder): Promise<unknown[]> {
  const size = decoder.readInt32();
  if (size <= 0 || !decoder.canReadBytes(size)) return [];
  const buffer = decoder.readBytes(size);
  const batches = new FetchDecoder(buffer);
  const messages: unknown[] = [];
  try {
    if (buffer.readInt8(MAGIC_AT) !== MAGIC_OF_BATCHES) return await decodeMessageSet(batches, size);
    while (batches.canReadBytes(RECORD_BATCH_OVERHEAD)) {
      const batch = await decodeRecordBatch(batches);
      for (const record of batch.records) messages.push(record);
      if (batch.records.length === 0) messages.push(placeholder(batch));
    }
  } catch (error) {
    // An answer may end in the middle of its last batch.
    const { name } = error as Error;
    if (messages.length === 0 && name !== 'KafkaJSPartialMessageError') failures.set(messages, error as Error);
  }
  return messages;
}

/**
 * Compaction keeps a producer's newest batch without its records. Without any message kafkajs would fetch such a batch for ever (tulios/kafkajs#1072): this one
 * stands for its last offset and, as a control record, is handed over to nobody.
 */
function placeholder(batch: RecordBatch): unknown {
  const offset = String(BigInt(batch.firstOffset) + BigInt(batch.lastOffsetDelta));
  return { offset, isControlRecord: true, key: null, batchContext: batch };
}

const { MemberAssignment } = require('kafkajs/src/consumer/assignerProtocol.js') as {
  MemberAssignment: { decode(buffer: Buffer): { assignment: Record<string, number[]> } | null };
};

/** The partitions in a member's assignment, as the group keeps it. */
export function decodeAssignment(bytes: Buffer): { topic: string; partition: number }[] {
  return Object.entries(MemberAssignment.decode(bytes)?.assignment ?? {}).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}

interface RunnerInternals {
  running: boolean;
  fetch(nodeId: number): Promise<unknown[]>;
}

const { KafkaJSError } = require('kafkajs/src/errors.js') as { KafkaJSError: new (message: string) => Error };
const Runner = require('kafkajs/src/consumer/runner.js') as { prototype: RunnerInternals };
const fetchWhileRunning = Runner.prototype.fetch;
/**
 * A runner that has been stopped answers a fetch at once, with nothing, and the fetcher asks again. That ends when the fetchers are stopped too; but when
 * brokers came or went at that moment, kafkajs makes new fetchers after it has stopped the old ones. They ask without end and without ever
 * leaving the microtask queue: no timer, no socket and no signal of the process is served any more. An error ends them, and the retry that follows it
 * finds the runner stopped.
 */
Runner.prototype.fetch = async function (this: RunnerInternals, nodeId: number) {
  if (!this.running) throw new KafkaJSError('the consumer does not run any more');
  return fetchWhileRunning.call(this, nodeId);
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
const silence: ReadonlySet<string> = new Set(['KafkaJSConnectionError', ...noAnswer]);
/** Between two attempts to fetch from a broker that does not answer. */
const SILENT_BROKER_PAUSE_MS = 500;

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
