// Sends the batches of group-commit.ts to the partitions' leaders.

import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterMetadata, findErrorBy, GenericError, type Producer } from '@platformatic/kafka';
import { exponentialDelayMs } from '../../contracts/backoff.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { limits } from '../../contracts/limits.ts';
import { threadSizes } from '../../telemetry/stages/batch-sizes.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import { KafkaSetupError, KafkaUnavailableError, PartitionUnavailableError, reasonOf } from '../errors.ts';
import { withAlert } from '../security/late-alert.ts';
import { kafkaError, refusalIn } from '../security/refusals.ts';
import { partitionOf } from './partitioner.ts';
import { askAnotherBroker, isUnknownTopic, mayDiffer, topicMetadata } from './platformatic-internals.ts';
import { produceVerdict } from './produce-errors.ts';
import { type PartitionPayload, type PartitionResult, produce } from './produce-request.ts';
import { RecordBatchEncoder } from './record-batch.ts';
import type { ProduceTransport, QueuedRecord } from './transport.ts';

/** How long a broker waits for its in-sync replicas before it answers with an error. */
const REPLICATION_TIMEOUT_MS = 8_000;
const START_PATIENCE_MS = 15_000;
const START_RETRY_MS = 100;
const METADATA_MAX_AGE_MS = 60_000;
const ABSENT_AGE_MS = 2_000;
const ABSENT_ATTEMPTS = 5;
const ABSENT_RETRY_MS = 100;
/**
 * A leader is normally elected within this time. After it, records of a partition without a leader are refused, because they would delay
 * the records of all other partitions.
 */
const LEADERLESS_MS_MAX = 1_000;
const BACKOFF_MS = { first: 20, most: 1_000 };
const SEQUENCE_MASK = 0x7fffffff;

/** The records of one partition in one `send`. */
interface Lane {
  topic: string;
  partition: number;
  records: QueuedRecord[];
  /** All records before this one are acknowledged or refused. */
  next: number;
  /** The batch that begins at `next`. Kept for retries, so that the broker recognises a repetition. */
  batch: LaneBatch | undefined;
  /** Smaller than the topic's limit after a batch of several records was refused because of one of them. */
  bytesMax: number;
}

interface Identity {
  producerId: bigint;
  producerEpoch: number;
}

interface LaneBatch {
  bytes: Buffer;
  count: number;
  /** The producer id and epoch that it was encoded with. Sequence numbers are only valid for these. */
  identity: Identity;
}

/**
 * Sends idempotent produce requests over the connections of @platformatic/kafka. A `send` has one or more rounds, each with at most one
 * request per broker and one batch per partition. A batch that failed is repeated byte for byte, in its place, so a repetition neither
 * doubles nor reorders records.
 */
export class PlatformaticTransport implements ProduceTransport {
  readonly #client: Producer;
  readonly #cluster: KafkaCluster;
  readonly #encoder = new RecordBatchEncoder();
  /** The next sequence number, by partition. */
  #sequences = new Map<string, number>();
  #identity: Identity | undefined;
  #metadata: ClusterMetadata | undefined;
  #metadataAt = Number.NEGATIVE_INFINITY;
  /** Topics that do not exist or that this client may not describe, by name, and when that was found. */
  readonly #absent = new Map<string, { at: number; error: KafkaSetupError }>();
  /** Since when a partition has had no leader. */
  readonly #leaderless = new Map<string, { topic: string; partition: number; since: number }>();
  /** Smaller than the limit after a topic has refused a batch of several records. Grows again with each batch that the topic accepts. */
  readonly #batchBytesMax = new Map<string, number>();
  trouble: Error | undefined;

  constructor(client: Producer, cluster: KafkaCluster) {
    this.#client = client;
    this.#cluster = cluster;
  }

  /**
   * Waits for a broker that is just starting (it has no producer ids yet), but not for a broker that does not answer.
   * @throws KafkaUnavailableError when no broker answers
   */
  async connect(): Promise<void> {
    const { brokers } = this.#cluster;
    const until = performance.now() + START_PATIENCE_MS;
    for (let silent = 0; ; ) {
      try {
        this.#identity = await this.#newIdentity();
        return;
      } catch (error) {
        const starting = findErrorBy(error as Error, 'code', 'PLT_KFK_PROTOCOL')?.canRetry === true;
        if (starting && performance.now() < until) {
          await delay(START_RETRY_MS);
          continue;
        }
        // Each broker is asked once, because the first one that accepts a connection may answer nothing.
        silent++;
        if (silent < brokers.length) continue;
        // A failure to close loses nothing: no connection of this client works, and the error below says why.
        await this.#client.close().catch(() => {});
        const reason = await withAlert(this.#cluster, error as Error);
        throw kafkaError(`no broker of ${brokers.join(', ')} answers`, reason, reasonOf(reason));
      }
    }
  }

  async send(batch: readonly QueuedRecord[]): Promise<void> {
    this.#encoder.reset();
    this.trouble = undefined;
    let lanes: Lane[] | undefined;
    for (let attempt = 0; ; attempt++) {
      if (attempt > 0) {
        await delay(exponentialDelayMs(attempt, BACKOFF_MS.first, BACKOFF_MS.most));
        if (batch.every(({ settled }) => settled)) break;
      }
      try {
        lanes ??= await this.#lanes(batch);
        this.#identity ??= await this.#newIdentity();
        let progress = true;
        while (progress && lanes.length > 0) {
          progress = await this.#round(lanes);
          lanes = lanes.filter(({ next, records }) => next < records.length);
        }
        if (lanes.length === 0) return;
        this.#metadataAt = Number.NEGATIVE_INFINITY;
      } catch (error) {
        this.trouble = await this.#troubleOf(error as Error);
        if (isFromKafka(error)) continue;
        // An error of this program would occur again with each attempt, so the records fail now, before their deadline.
        const failure = new KafkaUnavailableError(`the producer failed: ${String(error)}`, { cause: error });
        for (const queued of batch) queued.settle(failure);
        break;
      }
    }
    // Given up: the broker may have stored the batch in flight, so the next sequence numbers are unknown. With the old ones the broker
    // could take a later batch for a repetition and drop it. A new producer id starts from zero.
    this.#identity = undefined;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Sorts the records by partition. Records of a topic that does not exist or may not be described are refused. */
  async #lanes(batch: readonly QueuedRecord[]): Promise<Lane[]> {
    const byTopic = Map.groupBy(batch, ({ record }) => record.topic);
    const metadata = await this.#topics(new Set(byTopic.keys()));
    return [...byTopic].flatMap(([topic, records]) => {
      const found = metadata.topics.get(topic);
      if (found !== undefined) return lanesOf(topic, records, found.partitionsCount);
      for (const queued of records) queued.settle(this.#absent.get(topic)?.error ?? noSuchTopic(topic));
      return [];
    });
  }

  /**
   * Sends one request per broker.
   * @returns false when a lane made no progress, so that a pause and new metadata are needed
   */
  async #round(lanes: Lane[]): Promise<boolean> {
    const metadata = await this.#topics(new Set(lanes.map(({ topic }) => topic)));
    const byLeader = new Map<number, Lane[]>();
    let progress = true;
    for (const lane of lanes) {
      const topic = metadata.topics.get(lane.topic);
      const leader = topic?.partitions[lane.partition]?.leader ?? -1;
      if (!metadata.brokers.has(leader)) {
        const absent = topic === undefined ? this.#absent.get(lane.topic)?.error : undefined;
        this.trouble = absent ?? new PartitionUnavailableError(`partition ${keyOf(lane)} has no leader`);
        if (topic === undefined || this.#leaderlessMs(lane) < LEADERLESS_MS_MAX) progress = false;
        else {
          // The lost leader may have stored the batch: see the end of `send`.
          if (lane.batch !== undefined) this.#identity = undefined;
          this.#answer(lane, lane.records.length - lane.next, this.trouble);
        }
        continue;
      }
      const ofLeader = byLeader.get(leader);
      if (ofLeader === undefined) byLeader.set(leader, [lane]);
      else ofLeader.push(lane);
    }
    const moved = await Promise.all(
      [...byLeader].map(([leader, ofLeader]) => this.#request(metadata, leader, ofLeader)),
    );
    return progress && moved.every((each) => each);
  }

  #leaderlessMs(lane: Lane): number {
    const { topic, partition } = lane;
    const now = performance.now();
    const known = this.#leaderless.get(keyOf(lane));
    if (known !== undefined) return now - known.since;
    this.#leaderless.set(keyOf(lane), { topic, partition, since: now });
    return 0;
  }

  async #troubleOf(failure: Error): Promise<Error> {
    const error = await withAlert(this.#cluster, failure);
    return refusalIn(error) === undefined ? error : kafkaError('produce', error);
  }

  async #request(metadata: ClusterMetadata, leader: number, lanes: Lane[]): Promise<boolean> {
    const identity = this.#identity;
    if (identity === undefined) return false;
    let records = 0;
    let bytes = 0;
    const payloads = lanes.map((lane): PartitionPayload => {
      lane.batch ??= this.#encode(lane, identity);
      records += lane.batch.count;
      bytes += lane.batch.bytes.length;
      return { topic: lane.topic, partition: lane.partition, bytes: lane.batch.bytes };
    });
    threadSizes.produceRecords.observe(records);
    threadSizes.produceBytes.observe(bytes);
    const sentAt = threadStages.now();
    let results: PartitionResult[];
    try {
      const broker = metadata.brokers.get(leader);
      if (broker === undefined) return false;
      results = await produce(await this.#client.connections.get(broker), payloads, REPLICATION_TIMEOUT_MS);
    } catch (error) {
      if (!isFromKafka(error)) throw error;
      this.trouble = await this.#troubleOf(error);
      return false;
    }
    const elapsedMs = threadStages.now() - sentAt;
    threadStages.waited(stage.produce, elapsedMs);
    threadStages.passed(stage.produce, records);
    threadSizes.produceMs.observe(elapsedMs);
    const byPartition = new Map(results.map((result) => [keyOf(result), result]));
    let moved = true;
    for (const lane of lanes) {
      const result = byPartition.get(keyOf(lane));
      if (result === undefined || !this.#settle(lane, result)) moved = false;
    }
    return moved;
  }

  /**
   * Applies a partition's result to its lane.
   * @returns false when the batch must be tried again after a pause
   */
  #settle(lane: Lane, { errorCode, errorMessage }: PartitionResult): boolean {
    const { batch } = lane;
    if (batch === undefined) return true;
    const verdict = produceVerdict(`topic ${lane.topic}`, errorCode, errorMessage);
    if (verdict.kind === 'acknowledged') {
      if (batch.identity === this.#identity) {
        const key = keyOf(lane);
        this.#sequences.set(key, ((this.#sequences.get(key) ?? 0) + batch.count) & SEQUENCE_MASK);
      }
      const bytesMax = this.#batchBytesMax.get(lane.topic);
      if (bytesMax !== undefined) this.#batchBytesMax.set(lane.topic, bytesMax * 2);
      if (bytesMax !== undefined && bytesMax * 2 >= limits.producePartitionBytesMax)
        this.#batchBytesMax.delete(lane.topic);
      this.#answer(lane, batch.count, null);
      return true;
    }
    if (verdict.kind === 'refused') {
      if (batch.count > 1 && !(verdict.error instanceof KafkaSetupError)) {
        // One of several records may be at fault. Smaller batches find it and let the others pass.
        this.#batchBytesMax.set(lane.topic, Math.floor(batch.bytes.length / 2));
        lane.batch = undefined;
      } else this.#answer(lane, batch.count, verdict.error);
      return true;
    }
    const reason = `partition ${lane.partition} of ${verdict.error.message}`;
    this.trouble = new KafkaUnavailableError(reason, { cause: verdict.error });
    if (verdict.newProducer) {
      this.#identity = undefined;
      lane.batch = undefined;
    }
    return false;
  }

  #answer(lane: Lane, count: number, error: Error | null): void {
    const end = lane.next + count;
    for (let index = lane.next; index < end; index++) lane.records[index]?.settle(error);
    lane.next = end;
    lane.batch = undefined;
  }

  #encode(lane: Lane, identity: Identity): LaneBatch {
    const baseSequence = this.#sequences.get(keyOf(lane)) ?? 0;
    const bytesMax = Math.min(lane.bytesMax, this.#batchBytesMax.get(lane.topic) ?? limits.producePartitionBytesMax);
    const batchIdentity = { ...identity, baseSequence };
    const before = threadStages.enter(stage.encode);
    try {
      const batch = this.#encoder.encode(lane.records, lane.next, bytesMax, Date.now(), batchIdentity);
      threadStages.passed(stage.encode, batch.count);
      return { ...batch, identity };
    } finally {
      threadStages.leave(before);
    }
  }

  async #newIdentity(): Promise<Identity> {
    const { producerId, producerEpoch } = await this.#ask(() => this.#client.initIdempotentProducer({}));
    this.#sequences = new Map();
    return { producerId, producerEpoch };
  }

  /** Metadata of the topics. A topic that does not exist is absent. */
  async #topics(names: Set<string>): Promise<ClusterMetadata> {
    const known = this.#metadata;
    const ageMsMax = this.#leaderless.size > 0 ? LEADERLESS_MS_MAX : METADATA_MAX_AGE_MS;
    if (known !== undefined && performance.now() - this.#metadataAt < ageMsMax) {
      const now = performance.now();
      const covered = (name: string) =>
        known.topics.has(name) || now - (this.#absent.get(name)?.at ?? -Infinity) < ABSENT_AGE_MS;
      if ([...names].every(covered)) return known;
    }
    const topics: ClusterMetadata['topics'] = new Map();
    let latest: ClusterMetadata | undefined;
    for (const name of new Set([...names, ...(known?.topics.keys() ?? [])])) {
      const found = await this.#topic(name);
      if (found instanceof KafkaSetupError) {
        this.#absent.set(name, { at: performance.now(), error: found });
        continue;
      }
      const topic = found.topics.get(name);
      if (topic === undefined) continue;
      latest = found;
      this.#absent.delete(name);
      topics.set(name, topic);
    }
    const cluster =
      latest ?? known ?? (await this.#ask(() => this.#client.metadata({ topics: [], forceUpdate: true })));
    this.#metadata = { ...cluster, topics };
    this.#metadataAt = performance.now();
    for (const [key, { topic, partition }] of this.#leaderless)
      if (cluster.brokers.has(topics.get(topic)?.partitions[partition]?.leader ?? -1) || !topics.has(topic))
        this.#leaderless.delete(key);
    return this.#metadata;
  }

  /** Asks one broker. If it does not answer, the next request goes to another broker. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (mayDiffer(error)) askAnotherBroker(this.#client);
      throw error;
    }
  }

  /** Not every broker may know a topic that was just created, so it counts as missing only after several answers. */
  async #topic(name: string): Promise<ClusterMetadata | KafkaSetupError> {
    const patience = this.#absent.has(name) ? 1 : ABSENT_ATTEMPTS;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#ask(() => topicMetadata(this.#client, name));
      } catch (error) {
        // An operator must correct this topic. The records of other topics do not wait for it.
        if (error instanceof KafkaSetupError) return error;
        if (!isUnknownTopic(error)) throw error;
        if (attempt >= patience) return noSuchTopic(name);
        await delay(ABSENT_RETRY_MS);
      }
    }
  }
}

function lanesOf(topic: string, records: readonly QueuedRecord[], partitions: number): Lane[] {
  const lanes = new Array<Lane | undefined>(partitions);
  for (const queued of records) {
    const { key, partition: fixed } = queued.record;
    const partition = fixed ?? partitionOf(key, partitions);
    const lane = lanes[partition];
    if (lane !== undefined) lane.records.push(queued);
    else if (partition < partitions)
      lanes[partition] = { topic, partition, records: [queued], next: 0, batch: undefined, bytesMax: Infinity };
    else queued.settle(noSuchPartition(topic, partition, partitions));
  }
  return lanes.filter((lane) => lane !== undefined);
}

function noSuchTopic(topic: string): KafkaSetupError {
  return new KafkaSetupError(`topic ${topic} does not exist`);
}

function noSuchPartition(topic: string, partition: number, partitions: number): KafkaSetupError {
  return new KafkaSetupError(`topic ${topic} has ${partitions} partitions, no ${partition}`);
}

/** Whether the error comes from Kafka's side. Any other error is a bug of this program. */
function isFromKafka(error: unknown): error is Error {
  return error instanceof KafkaUnavailableError || (error instanceof Error && GenericError.isGenericError(error));
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}
