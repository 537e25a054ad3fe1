import kafkajs, { type Consumer, type EachBatchPayload } from 'kafkajs';
import type { ConsumerListener, ConsumerOptions, GroupConsumer, TopicPartition } from './consumer.ts';
import { NotAMemberError } from './errors.ts';
import { FetchPace } from './fetch-pace.ts';
import { fetchedBatch } from './fetched-batch.ts';
import { kafkajsClient } from './kafkajs-client.ts';
import { groupError, saysNotAMember } from './kafkajs-errors.ts';
import { type ConsumerGroupInternals, onBeforeJoin } from './kafkajs-internals.ts';

const HEARTBEAT_INTERVAL_MS = 500;
/** A member that does not come back from its revocation within this time is dropped by the broker. */
const REBALANCE_TIMEOUT_MS = 30_000;
/** An idle fetch comes back after this long, so a resumed partition waits at most as long. New data is answered at once. */
const FETCH_WAIT_MS = 100;
/** A batch waits for no other partition's batch of the same fetch. */
const CONCURRENT_HAND_OVERS = 16;
const RESTART_BACKOFF_MS = { first: 250, most: 2_000 };

/**
 * Joins the group and consumes until `close`. An outage is not an end: whatever happens to the client, it is started again.
 * The first join is still under way when the promise resolves.
 * @throws KafkaUnavailableError when the brokers cannot be reached at the start, or a topic does not exist.
 */
export async function createConsumer(options: ConsumerOptions, listener: ConsumerListener): Promise<GroupConsumer> {
  const consumer = new KafkajsGroupConsumer(options, listener);
  await consumer.start();
  return consumer;
}

class KafkajsGroupConsumer implements GroupConsumer {
  assignment: readonly TopicPartition[] = [];
  readonly #options: ConsumerOptions;
  readonly #listener: ConsumerListener;
  readonly #pace: FetchPace;
  #assigned = new Set<string>();
  /** Partitions whose `onAssigned` has resolved: only their batches are handed over. */
  #ready = new Set<string>();
  #paused = new Set<string>();
  #client: Consumer | undefined;
  #group: ConsumerGroupInternals | undefined;
  #revocation: { of: readonly TopicPartition[]; done: Promise<void> } | undefined;
  #closing = false;
  #restarts = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: ConsumerOptions, listener: ConsumerListener) {
    this.#options = options;
    this.#listener = listener;
    this.#pace = new FetchPace(options.fetchIntervalMs ?? 0);
  }

  async start(): Promise<void> {
    const { groupId, topics, from = 'earliest', sessionTimeoutMs = 10_000, partitionBytesMax } = this.#options;
    const client = kafkajsClient(this.#options).consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: Math.min(HEARTBEAT_INTERVAL_MS, Math.floor(sessionTimeoutMs / 3)),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      metadataMaxAge: 30_000,
      allowAutoTopicCreation: false,
      // Restarts are ours: kafkajs gives up on errors that it takes for final.
      retry: { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000, restartOnFailure: async () => false },
      ...(partitionBytesMax === undefined ? {} : { maxBytesPerPartition: partitionBytesMax }),
      partitionAssigners: [
        (config) => {
          onBeforeJoin(config.cluster, (group) => this.#beforeJoin(client, group));
          return kafkajs.PartitionAssigners.roundRobin(config);
        },
      ],
    });
    this.#client = client;
    client.on(client.events.GROUP_JOIN, ({ payload }) => this.#joined(client, payload.memberAssignment));
    client.on(client.events.CRASH, () => this.#restart(client));
    try {
      await client.connect();
      await client.subscribe({ topics, fromBeginning: from === 'earliest' });
    } catch (error) {
      await client.disconnect().catch(() => {});
      throw groupError(`group ${groupId} cannot start`, error);
    }
    // Not awaited: `run` resolves after the first join, and its assignment is for an owner that holds this consumer already.
    client
      .run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: CONCURRENT_HAND_OVERS,
        eachBatch: (payload) => this.#eachBatch(client, payload),
      })
      .catch(() => this.#restart(client));
  }

  async commit(positions: (TopicPartition & { offset: number })[]): Promise<void> {
    const group = this.#group;
    const stranger = positions.find((position) => !this.#assigned.has(keyOf(position)));
    if (group === undefined || stranger !== undefined)
      throw new NotAMemberError(
        stranger === undefined ? 'no assignment' : `${keyOf(stranger)} is not assigned to this member`,
      );
    const topics = new Map<string, { partition: number; offset: string; metadata: null }[]>();
    for (const { topic, partition, offset } of positions) {
      const partitions = topics.get(topic) ?? [];
      partitions.push({ partition, offset: String(offset), metadata: null });
      topics.set(topic, partitions);
    }
    try {
      await group.commitOffsets({ topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) });
    } catch (error) {
      throw groupError(`commit of group ${this.#options.groupId}`, error);
    }
  }

  pause(partitions: TopicPartition[]): void {
    for (const partition of partitions) this.#paused.add(keyOf(partition));
    this.#use((client) => client.pause(partitions.map(topicWithPartition)));
  }

  resume(partitions: TopicPartition[]): void {
    for (const partition of partitions) this.#paused.delete(keyOf(partition));
    // One that waits for its `onAssigned` is resumed by that.
    const ready = partitions.filter((partition) => this.#ready.has(keyOf(partition)));
    this.#use((client) => client.resume(ready.map(topicWithPartition)));
  }

  seek({ topic, partition, offset }: TopicPartition & { offset: number }): void {
    this.#use((client) => client.seek({ topic, partition, offset: String(offset) }));
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#restartTimer);
    try {
      if (this.assignment.length > 0) await this.#revoke();
    } finally {
      await this.#client?.disconnect().catch(() => {});
    }
  }

  /** A client that is crashing refuses calls before it says so; its partitions are about to be lost, and the call with them. */
  #use(call: (client: Consumer) => void): void {
    if (this.#client === undefined) return;
    try {
      call(this.#client);
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSNonRetriableError)) throw error;
    }
  }

  async #eachBatch(client: Consumer, { batch, isStale, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    // A batch that was fetched before a seek is stale: handing it over would skip what was sought.
    if (client === this.#client && this.#ready.has(keyOf(batch)) && !isStale()) {
      this.#listener.onBatch(fetchedBatch(topic, partition, batch));
      // The fetch position only; what is committed is the owner's affair. After a seek by the listener the seek counts.
      resolveOffset(batch.lastOffset());
    }
    await heartbeat();
    await this.#pace.wait(batch.messages.length);
  }

  /** Before every join: partitions held until now are revoked if this member still counts, else they are lost. */
  async #beforeJoin(client: Consumer, group: ConsumerGroupInternals): Promise<void> {
    if (client !== this.#client || this.#closing) return;
    if (this.assignment.length > 0) {
      if (group === this.#group && (await stillMember(group))) await this.#revokeInTime(group);
      else this.#lose();
    }
    this.#group = group;
  }

  async #revokeInTime(group: ConsumerGroupInternals): Promise<void> {
    // The drain may take longer than the session: heartbeats keep the membership meanwhile.
    const heartbeats = setInterval(() => stillMember(group), HEARTBEAT_INTERVAL_MS);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, REBALANCE_TIMEOUT_MS, 'late');
    });
    try {
      if ((await Promise.race([this.#revoke(), late])) === 'late') this.#lose();
    } finally {
      clearInterval(heartbeats);
      clearTimeout(timer);
    }
  }

  /** Once for each assignment: a close may come into the revocation of a rebalance, and a rebalance into one of an assignment that is lost by now. */
  #revoke(): Promise<void> {
    const { assignment } = this;
    if (this.#revocation?.of !== assignment) this.#revocation = { of: assignment, done: this.#revokeOnce(assignment) };
    return this.#revocation.done;
  }

  async #revokeOnce(revoked: readonly TopicPartition[]): Promise<void> {
    try {
      await this.#listener.onRevoked([...revoked]);
    } finally {
      if (this.assignment === revoked) this.#assign([]);
    }
  }

  #lose(): void {
    const lost = this.assignment;
    this.#assign([]);
    if (lost.length > 0) this.#listener.onLost([...lost]);
  }

  #assign(partitions: TopicPartition[]): void {
    this.assignment = partitions;
    this.#assigned = new Set(partitions.map(keyOf));
    this.#ready = new Set();
    this.#paused = new Set();
  }

  #joined(client: Consumer, memberAssignment: Record<string, number[]>): void {
    if (client !== this.#client || this.#closing) return;
    this.#restarts = 0;
    const assigned = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    this.#assign(assigned);
    if (assigned.length === 0) return;
    // This runs before the first fetch. kafkajs keeps pauses over a rebalance, so every partition starts from a known state.
    const byTopic = Object.entries(memberAssignment).map(([topic, partitions]) => ({ topic, partitions }));
    client.pause(byTopic);
    this.#listener.onAssigned([...assigned]).then(
      () => {
        if (client !== this.#client || this.assignment !== assigned) return;
        this.#ready = new Set(this.#assigned);
        const running = assigned.filter((partition) => !this.#paused.has(keyOf(partition)));
        this.#use(() => client.resume(running.map(topicWithPartition)));
      },
      () => {
        if (client === this.#client && this.assignment === assigned) this.#restart(client);
      },
    );
  }

  #restart(client: Consumer): void {
    if (client !== this.#client || this.#closing) return;
    this.#client = undefined;
    this.#group = undefined;
    this.#lose();
    client.disconnect().catch(() => {});
    this.#scheduleStart();
  }

  #scheduleStart(): void {
    const wait = Math.min(RESTART_BACKOFF_MS.first * 2 ** this.#restarts, RESTART_BACKOFF_MS.most);
    this.#restarts += 1;
    this.#restartTimer = setTimeout(() => {
      this.start().catch(() => {
        this.#client = undefined;
        if (!this.#closing) this.#scheduleStart();
      });
    }, wait);
  }
}

async function stillMember(group: ConsumerGroupInternals): Promise<boolean> {
  const { coordinator, memberId, generationId, groupId } = group;
  if (coordinator === null || memberId === null || generationId === null) return false;
  try {
    await coordinator.heartbeat({ groupId, memberId, groupGenerationId: generationId });
    return true;
  } catch (error) {
    return !saysNotAMember(error) || isRebalance(error);
  }
}

function isRebalance(error: unknown): boolean {
  return (error as { type?: string }).type === 'REBALANCE_IN_PROGRESS';
}

function topicWithPartition({ topic, partition }: TopicPartition): { topic: string; partitions: number[] } {
  return { topic, partitions: [partition] };
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
