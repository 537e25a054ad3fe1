// One kafkajs client of a group member. Created by kafkajs-consumer.ts for each start of a client.

import kafkajs, { type Consumer, type EachBatchPayload } from 'kafkajs';
import { settlesWithin } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import { kafkajsClient } from '../kafkajs/kafkajs-client.ts';
import { isRebalance, saysNotAMember } from '../kafkajs/kafkajs-errors.ts';
import { type ConsumerGroupInternals, watchGroup } from '../kafkajs/kafkajs-internals.ts';
import { KafkajsSockets } from '../kafkajs/kafkajs-sockets.ts';
import type { ConsumerOptions, TopicPartition } from './consumer.ts';
import type { GroupControl } from './group-control.ts';
import { type GroupAnswer, type Membership, REBALANCE_TIMEOUT_MS } from './membership.ts';

const HEARTBEAT_INTERVAL_MS = 500;
/** An idle fetch is answered after this long, so a resumed partition waits no longer than this. New data is answered at once. */
const FETCH_WAIT_MS = 100;
/** Batches of one fetch are handed over concurrently, so that none waits for another. */
const CONCURRENT_HAND_OVERS = 16;
/**
 * Half of the default session timeout, so that one lost answer does not cost the membership. JoinGroup and Fetch have time limits of their
 * own.
 */
const REQUEST_TIMEOUT_MS = 5_000;
/** Limit of each of two steps: leaving by kafkajs, and, if kafkajs waits for an answer that does not come, leaving by `GroupControl`. */
const LEAVE_MS_MAX = 2_000;
/** A partition whose data can't be used is tried again after this long. The other partitions go on meanwhile. */
const FAILED_FETCH_PAUSE_MS = 1_000;

/** One client of a member: one kafkajs consumer, from its connection to its end. Reports to the membership under its number. */
export class KafkajsSession {
  readonly number: number;
  readonly #options: ConsumerOptions;
  readonly #membership: Membership;
  readonly #control: GroupControl;
  readonly #sockets = new KafkajsSockets();
  readonly #client: Consumer;
  #group: ConsumerGroupInternals | undefined;
  /** The generation before the join in flight. */
  #generationBefore: number | null = null;
  #retries = new Set<NodeJS.Timeout>();
  #ended = false;
  /** Until this instant a broker's quota forbids fetches. kafkajs sends its heartbeats between fetches, so `ask` sends them meanwhile. */
  #throttledUntil = Number.NEGATIVE_INFINITY;

  constructor(number: number, options: ConsumerOptions, membership: Membership, control: GroupControl) {
    this.number = number;
    this.#options = options;
    this.#membership = membership;
    this.#control = control;
    const { groupId, sessionTimeoutMs = 10_000, partitionBytesMax } = options;
    const { clientId, cluster, log } = options;
    const client = kafkajsClient({
      clientId,
      cluster,
      log,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      socketFactory: this.#sockets.factory,
    }).consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: Math.min(HEARTBEAT_INTERVAL_MS, Math.floor(sessionTimeoutMs / 3)),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      metadataMaxAge: 30_000,
      allowAutoTopicCreation: false,
      // The membership restarts clients, because kafkajs gives up on errors that it takes for final.
      retry: { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000, restartOnFailure: async () => false },
      ...(partitionBytesMax === undefined ? {} : { maxBytesPerPartition: partitionBytesMax }),
      partitionAssigners: [
        (config) => {
          watchGroup(config.cluster, {
            beforeJoin: (group) => this.#beforeJoin(group),
            joined: (group) => membership.joined(number, assignedTo(group)),
            joinFailed: (error) => membership.failed(number, error),
            fetched: (partition, failure, isCrowdedOut) => this.#fetched(partition, failure, isCrowdedOut),
            fetchFailed: (error) => membership.stumbled(number, error),
            throttled: (forMs) => this.#throttled(forMs),
          });
          return kafkajs.PartitionAssigners.roundRobin(config);
        },
      ],
    });
    client.on(client.events.HEARTBEAT, () => membership.proven(number));
    client.on(client.events.CRASH, ({ payload }) => membership.failed(number, payload.error));
    this.#client = client;
  }

  /** Connects, subscribes and begins to join. */
  async start(eachBatch: (payload: EachBatchPayload) => Promise<void>): Promise<void> {
    const { topics, from = 'earliest' } = this.#options;
    await this.#client.connect();
    await this.#client.subscribe({ topics, fromBeginning: from === 'earliest' });
    if (this.#ended) throw new Error('ended while it connected');
    // Not awaited: `run` resolves after the first join, and the owner must have this consumer before its first assignment.
    this.#client
      .run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: CONCURRENT_HAND_OVERS,
        eachBatch,
      })
      .catch((error) => this.#membership.failed(this.number, error));
  }

  /** Leaves and disconnects. kafkajs waits for every answer; after the time limit the group is told on another connection. */
  async end(): Promise<void> {
    this.#ended = true;
    for (const retry of this.#retries) clearTimeout(retry);
    const memberId = this.#group?.memberId ?? null;
    // Failures don't matter here: without its sockets the client is gone, and the group drops a silent member after its session timeout.
    if (!(await settlesWithin(systemTimers, LEAVE_MS_MAX, this.#client.disconnect())) && memberId !== null)
      await settlesWithin(systemTimers, LEAVE_MS_MAX, this.#control.leave(memberId));
    this.#sockets.end();
  }

  async commit(topics: Parameters<ConsumerGroupInternals['commitOffsets']>[0]): Promise<boolean> {
    if (this.#group === undefined) return false;
    await this.#group.commitOffsets(topics);
    this.#membership.proven(this.number);
    return true;
  }

  async ask(): Promise<GroupAnswer> {
    const { memberId = null, generationId = null } = this.#group ?? {};
    const joinAnswered = generationId !== this.#generationBefore;
    if (joinAnswered && memberId !== null && generationId !== null && performance.now() < this.#throttledUntil)
      await this.#control.heartbeat(memberId, generationId);
    return { ...(await this.#control.describe(memberId)), joinAnswered };
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#use(() => this.#client.pause(partitions.map(topicWithPartition)));
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#use(() => this.#client.resume(partitions.map(topicWithPartition)));
  }

  seek({ topic, partition, offset }: TopicPartition & { offset: number }): void {
    this.#use(() => this.#client.seek({ topic, partition, offset: String(offset) }));
  }

  /**
   * A client that is crashing refuses calls before it reports the crash. Its partitions are about to be lost, so the call doesn't matter.
   */
  #use(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSNonRetriableError)) throw error;
    }
  }

  async #beforeJoin(group: ConsumerGroupInternals): Promise<void> {
    this.#group = group;
    // The revocation may take longer than the session timeout; heartbeats keep the membership meanwhile.
    const heartbeats = setInterval(() => this.#stillMember(group), HEARTBEAT_INTERVAL_MS);
    try {
      await this.#membership.beforeJoin(this.number, () => this.#stillMember(group));
    } finally {
      clearInterval(heartbeats);
    }
    this.#generationBefore = group.generationId;
  }

  async #stillMember(group: ConsumerGroupInternals): Promise<boolean> {
    const { coordinator, memberId, generationId, groupId } = group;
    if (coordinator === null || memberId === null || generationId === null) return false;
    try {
      await coordinator.heartbeat({ groupId, memberId, groupGenerationId: generationId });
      this.#membership.proven(this.number);
      return true;
    } catch (error) {
      // If the coordinator answers that the group rebalances, it still knows the member.
      if (isRebalance(error)) this.#membership.proven(this.number);
      return !saysNotAMember(error) || isRebalance(error);
    }
  }

  #throttled(forMs: number): void {
    this.#throttledUntil = performance.now() + forMs;
    this.#membership.throttled(this.number, forMs);
  }

  #fetched({ topic, partition }: TopicPartition, failure: string | undefined, isCrowdedOut: boolean): void {
    const place = { topic, partition };
    this.#membership.fetched(this.number, place, failure);
    if (failure === undefined || isCrowdedOut || this.#ended) return;
    this.pause([place]);
    const retry = setTimeout(() => {
      this.#retries.delete(retry);
      if (this.#membership.isFetched(this.number, place)) this.resume([place]);
    }, FAILED_FETCH_PAUSE_MS);
    this.#retries.add(retry);
  }
}

function assignedTo(group: ConsumerGroupInternals): TopicPartition[] {
  return group.assigned().flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

function topicWithPartition({ topic, partition }: TopicPartition): { topic: string; partitions: number[] } {
  return { topic, partitions: [partition] };
}
