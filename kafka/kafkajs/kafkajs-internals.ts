import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { threadSizes } from '../../telemetry/stages/batch-sizes.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import { textOf } from '../security/refusals.ts';
import { decodeFailureOf } from './kafkajs-fetch-answers.ts';
import { goOnWithoutLeaders, leaderlessIn } from './kafkajs-leaders.ts';

/*
 * The parts of kafkajs below its public interface that we depend on: group membership, fetching and connections. (The decoding of fetch
 * answers is in kafkajs-fetch-answers.ts.) kafkajs 2.2.4 is its last release (2023) and pinned exactly, so its internals do not change; the
 * version is checked all the same.
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
  fetch(nodeId: number): Promise<FetchedInternals[]>;
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

interface FetchedInternals extends BatchInternals {
  /** Those of `rawMessages` that were asked for and are for readers. */
  messages: unknown[];
}

/** What a consumer's owner must know about its membership. kafkajs itself reports less: the methods say what is missing. */
export interface GroupHooks {
  /**
   * Called before every (re)join. The join waits for it, and does not happen if it rejects. kafkajs joins at once on a rebalance, and an
   * idle consumer notices the rebalance without running any code of its owner in between.
   */
  beforeJoin(group: ConsumerGroupInternals): Promise<void>;
  /** The join has an assignment. If this throws, the client ends. */
  joined(group: ConsumerGroupInternals): void;
  /**
   * The join has ended without an assignment. kafkajs does not report that: it goes on fetching what it had before, its heartbeats succeed,
   * and no assignment ever comes.
   */
  joinFailed(error: unknown): void;
  /**
   * A fetch was answered for a partition. `failure`: why it brought no records although there are some. `isCrowdedOut`: the answer may have had
   * no room for them.
   */
  fetched(partition: { topic: string; partition: number }, failure: string | undefined, isCrowdedOut: boolean): void;
  /** A fetch failed as a whole; kafkajs tries again. */
  fetchFailed(error: unknown): void;
  /** A broker's quota forbids the next fetch from this broker for this long, in milliseconds. */
  throttled(forMs: number): void;
}

const hooksOf = new WeakMap<object, GroupHooks>();

/** A partition assigner's factory gets the cluster object. That is how the hooks belong to one consumer. */
export function watchGroup(cluster: object, hooks: GroupHooks): void {
  hooksOf.set(cluster, hooks);
  goOnWithoutLeaders(cluster);
}

const joins = new WeakMap<ConsumerGroupInternals, Promise<void>>();

const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup.js') as { prototype: ConsumerGroupInternals };
const { joinAndSync, fetch, recoverFromFetch } = ConsumerGroup.prototype;
/** With several brokers, several fetchers may notice a rebalance, and each would join. They share one join. */
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

/** A shorter throttle is normal: it costs no more than the wait of an idle fetch. */
const THROTTLED_MS_MIN = 1_000;
/** By cluster, the leaderless partitions that were reported last. */
const toldLeaderless = new WeakMap<object, ReadonlyMap<string, ReadonlySet<number>>>();

ConsumerGroup.prototype.fetch = async function (this: ConsumerGroupInternals, nodeId) {
  const startedAt = threadStages.now();
  const batches = await fetch.call(this, nodeId);
  const hooks = hooksOf.get(this.cluster);
  if (hooks === undefined) return batches;
  countFetch(batches, startedAt);
  const hasRecords = batches.some(({ rawMessages }) => rawMessages.length > 0);
  for (const batch of batches) hooks.fetched(batch, failureOf(batch), isCrowdedOut(batch, hasRecords));
  reportLeaderless(this, hooks);
  reportThrottle(this, nodeId, hooks);
  return batches;
};

/** A fetch that brings nothing has only waited for new records. It is not counted. */
function countFetch(batches: readonly FetchedInternals[], startedAt: number): void {
  const records = batches.reduce((sum, { messages }) => sum + messages.length, 0);
  if (records === 0) return;
  threadStages.waited(stage.fetch, threadStages.now() - startedAt);
  threadStages.passed(stage.fetch, records);
  threadSizes.fetchRecords.observe(records);
}

/** Runs once for each Metadata answer. */
function reportLeaderless(group: ConsumerGroupInternals, hooks: GroupHooks): void {
  const without = leaderlessIn(group.cluster);
  if (without === undefined || toldLeaderless.get(group.cluster) === without) return;
  toldLeaderless.set(group.cluster, without);
  for (const { topic, partitions } of group.assigned())
    for (const partition of partitions)
      if (without.get(topic)?.has(partition) === true) hooks.fetched({ topic, partition }, 'it has no leader', false);
}

function reportThrottle(group: ConsumerGroupInternals, nodeId: number, hooks: GroupHooks): void {
  const fetches = group.cluster.brokerPool.brokers[nodeId]?.connectionPool.pool[1];
  const throttledMs = (fetches?.requestQueue.throttledUntil ?? 0) - Date.now();
  if (throttledMs > THROTTLED_MS_MIN) hooks.throttled(throttledMs);
}

/**
 * Whether the answer may have had no room for the partition: a broker fills an answer up to a size, and in a backlog the partitions that come later have
 * nothing in it. The next fetch brings their records, so a pause would only make them late.
 */
export function isCrowdedOut({ rawMessages }: BatchInternals, hasRecords: boolean): boolean {
  return hasRecords && rawMessages.length === 0 && decodeFailureOf(rawMessages) === undefined;
}

export function failureOf({ fetchedOffset, highWatermark, rawMessages }: BatchInternals): string | undefined {
  if (rawMessages.length > 0) return undefined;
  const failure = decodeFailureOf(rawMessages);
  if (failure !== undefined) return `offset ${fetchedOffset}: ${textOf(failure)}`;
  return Number(highWatermark) > Number(fetchedOffset)
    ? `offset ${fetchedOffset}: the fetch brings nothing, although the log ends at ${highWatermark}`
    : undefined;
}

/** The connection was accepted and then closed, or a request got no answer: a proxy in front of a dead broker, or a stopped broker. */
const noAnswer: ReadonlySet<string> = new Set(['KafkaJSConnectionClosedError', 'KafkaJSRequestTimeoutError']);
const silence: ReadonlySet<string> = new Set(['KafkaJSConnectionError', ...noAnswer]);
/** The pause before the next fetch from a broker that does not answer. */
const SILENT_BROKER_PAUSE_MS = 500;

/**
 * When one of several brokers refuses connections or does not answer, only the fetches from this broker fail. kafkajs itself gives up after four attempts
 * and ends the client, and with it the partitions of all brokers. After a pause the next fetch asks for the current leaders, on a new connection.
 */
ConsumerGroup.prototype.recoverFromFetch = async function (this: ConsumerGroupInternals, error) {
  hooksOf.get(this.cluster)?.fetchFailed(error);
  const { brokerPool } = this.cluster;
  const brokers = Object.values(brokerPool.brokers);
  const address = silentBroker(error);
  const silent = brokers.find(({ connectionPool: { host, port } }) => `${host}:${port}` === address);
  if (silent === undefined || brokers.length === 1) return recoverFromFetch.call(this, error);
  // Not awaited: kafkajs waits for the answers to pending requests, or for their timeouts, before it closes the socket. A failure loses nothing: the
  // next fetch from this broker fails as well, is reported to `fetchFailed`, and comes back here.
  if (silent.isConnected()) silent.disconnect().catch(() => {});
  brokerPool.metadataExpireAt = null;
  await delay(SILENT_BROKER_PAUSE_MS);
};

/** `host:port` of the broker that did not answer a request or could not be reached. */
function silentBroker(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, broker } = error as Error & { broker?: unknown };
  if (typeof broker === 'string' && silence.has(name)) return broker;
  return silentBroker(error.cause);
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
 * A stopped runner answers a fetch at once, with nothing, and the fetcher asks again. Normally that ends when the fetchers are stopped too.
 * But if brokers came or went at that moment, kafkajs makes new fetchers after it has stopped the old ones. The new fetchers ask without
 * end and never leave the microtask queue, so that no timer, socket or signal of the process is served any more. An error ends these
 * fetchers, and the retry after it finds the runner stopped.
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
/**
 * With nothing pending, kafkajs sets a timer with a negative delay, and Node 24 warns of it (tulios/kafkajs#1751). There is nothing to
 * check in that case.
 */
RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueueInternals) {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) scheduleCheckPendingRequests.call(this);
};

interface BrokerPoolInternals {
  seedBroker: { connect(): Promise<void> };
  createSeedBroker(): Promise<void>;
}

/**
 * kafkajs turns to the next bootstrap broker only after a refused connection (src/cluster/brokerPool.js), which it recognises by the name
 * of the error.
 */
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
