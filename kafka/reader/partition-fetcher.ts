// Fetches at given positions, without a group. Used by reader.ts and range-reader.ts.

import { Base, type ClusterMetadata, type Connection, fetchV12, listOffsetsV7 } from '@platformatic/kafka';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { FetchedRecord } from '../consumer/consumer.ts';
import { KafkaUnavailableError, RecordRefusedError, reasonOf } from '../errors.ts';
import { answerIn, askAnotherBroker, mayDiffer, topicMetadata } from '../producer/platformatic-internals.ts';
import { produceVerdict } from '../producer/produce-errors.ts';
import { platformaticOptions } from '../security/client-options.ts';
import { withAlert } from '../security/late-alert.ts';
import { kafkaError } from '../security/refusals.ts';

const READ_COMMITTED = 1;
const CONTROL_BATCH = 1 << 5;
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
const PARTITION_BYTES_MAX = 1024 * 1024;
const OFFSET_OUT_OF_RANGE = 1;
/** Kafka's name for the start of a log in a query by timestamp. */
const EARLIEST = -2n;
/** The replica id that a consumer sends. */
const CONSUMER = -1;
const NO_BYTES = Buffer.alloc(0);
/** How often leaders are looked up while a partition has none. */
const LEADERLESS_METADATA_MS = 1_000;

export interface FetchedPartition {
  partition: number;
  records: FetchedRecord[];
  /** Position of the next fetch, after gaps that compaction or transactions left. */
  next: number;
  highWatermark: number;
  /** The position was outside of the log: its record was removed, or never existed. */
  outOfRange?: true;
}

/**
 * Fetches partitions of one topic at given positions, without a group: for readers that want the whole topic and keep their own positions.
 * Leaders and addresses are looked up again after every failure.
 */
export class PartitionFetcher {
  readonly #client: Base;
  readonly #cluster: KafkaCluster;
  readonly #topic: string;
  #metadata: ClusterMetadata | undefined;
  #metadataAt = 0;
  /** Why the last fetch left partitions out; undefined if it left out none. */
  trouble: Error | undefined;

  constructor(options: { clientId: string; cluster: KafkaCluster; topic: string }) {
    this.#cluster = options.cluster;
    this.#topic = options.topic;
    this.#client = new Base({
      clientId: options.clientId,
      ...platformaticOptions(options.cluster),
      connectTimeout: 3_000,
      requestTimeout: 10_000,
      retries: 0,
    });
  }

  /**
   * One request per leader, for the given positions by partition. Waits up to `waitMs` for data. Partitions that have no leader or can't be
   * fetched now are left out, and `trouble` says why.
   * @throws KafkaUnavailableError when no partition can be fetched
   */
  async fetch(positions: ReadonlyMap<number, number>, waitMs: number): Promise<FetchedPartition[]> {
    this.trouble = undefined;
    try {
      const metadata = await this.#currentMetadata();
      const answers = await Promise.allSettled(
        [...byLeader(metadata, this.#topic, positions)].map(([leader, ofLeader]) =>
          this.#fetchFrom(metadata, leader, ofLeader, waitMs),
        ),
      );
      for (const answer of answers) if (answer.status === 'rejected') await this.#failed(answer.reason as Error);
      const fetched = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      if (this.trouble !== undefined && fetched.length === 0) throw this.trouble;
      return fetched;
    } catch (error) {
      throw await this.#failed(error as Error);
    }
  }

  /** The next fetch looks up the leaders again. */
  async #failed(failure: Error): Promise<Error> {
    const error = await withAlert(this.#cluster, failure);
    if (!(error instanceof LeaderlessError)) this.#metadata = undefined;
    this.trouble =
      error instanceof KafkaUnavailableError ? error : kafkaError(`fetch of ${this.#topic}`, error, reasonOf(error));
    return this.trouble;
  }

  /**
   * @param ageMsMax Kafka is asked again when the known number is older, because a topic may have been given more partitions
   * @throws KafkaUnavailableError on an outage; RecordRefusedError when the topic does not exist
   */
  async partitionCount(ageMsMax = Number.POSITIVE_INFINITY): Promise<number> {
    if (performance.now() - this.#metadataAt >= ageMsMax) this.#metadata = undefined;
    const metadata = await this.#currentMetadata().catch(async (failure: Error) => {
      const error = await withAlert(this.#cluster, failure);
      throw kafkaError(`partitions of ${this.#topic}`, error, reasonOf(error));
    });
    const count = metadata.topics.get(this.#topic)?.partitionsCount ?? 0;
    if (count === 0) throw new RecordRefusedError(`topic ${this.#topic} does not exist`);
    return count;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #currentMetadata(): Promise<ClusterMetadata> {
    const known = this.#metadata;
    if (known !== undefined) {
      const isLed = () => known.topics.get(this.#topic)?.partitions.every(({ leader }) => known.brokers.has(leader));
      if (performance.now() - this.#metadataAt < LEADERLESS_METADATA_MS || isLed()) return known;
    }
    this.#metadata = await topicMetadata(this.#client, this.#topic).catch((error: Error) => {
      if (mayDiffer(error)) askAnotherBroker(this.#client);
      throw error;
    });
    this.#metadataAt = performance.now();
    return this.#metadata;
  }

  async #fetchFrom(
    metadata: ClusterMetadata,
    leader: number,
    positions: [partition: number, offset: number][],
    waitMs: number,
  ): Promise<FetchedPartition[]> {
    const broker = metadata.brokers.get(leader);
    if (broker === undefined) {
      const leaderless = positions.map(([partition]) => partition).join(', ');
      throw new LeaderlessError(`partitions ${leaderless} of ${this.#topic} have no leader`);
    }
    const connection = await this.#client.connections.get(broker);
    const partitions = positions.map(([partition, offset]) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: PARTITION_BYTES_MAX,
    }));
    // Session 0 with epoch -1: a full fetch without a fetch session.
    const response = await fetchV12.api
      .async(
        connection,
        waitMs,
        1,
        REQUEST_BYTES_MAX,
        READ_COMMITTED,
        0,
        -1,
        [{ topicId: this.#topic, partitions }],
        [],
        '',
      )
      .catch((error: Error) => {
        // The client makes one error of the whole answer when one partition has an error, and keeps the answer in that error.
        const answer = answerIn<FetchAnswer>(error);
        if (answer === undefined || answer.errorCode !== 0) throw error;
        return answer;
      });
    const wanted = new Map(positions);
    const answers = response.responses.flatMap((topic) => topic.partitions);
    const outside = answers.filter(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE);
    const earliest = await this.#earliest(connection, outside);
    return answers.flatMap((partition): FetchedPartition[] => {
      const { partitionIndex, errorCode } = partition;
      const position = wanted.get(partitionIndex) ?? 0;
      if (errorCode === 0) return [decoded(partition, position)];
      if (errorCode !== OFFSET_OUT_OF_RANGE) {
        const verdict = produceVerdict(`partition ${partitionIndex} of ${this.#topic}`, errorCode, null);
        if (verdict.kind !== 'acknowledged') this.#failed(verdict.error);
        return [];
      }
      // Retention has removed the record at the position, or the topic is another one or shorter than before. The next record is the oldest
      // one that is left. The answer itself does not say where the log begins or ends.
      const next = earliest.get(partitionIndex) ?? position;
      return [{ partition: partitionIndex, records: [], next, highWatermark: next, outOfRange: true }];
    });
  }

  async #earliest(connection: Connection, of: readonly Answer[]): Promise<Map<number, number>> {
    if (of.length === 0) return new Map();
    const partitions = of.map(({ partitionIndex }) => ({
      partitionIndex,
      currentLeaderEpoch: -1,
      timestamp: EARLIEST,
    }));
    const listed = await listOffsetsV7.api.async(connection, CONSUMER, READ_COMMITTED, [
      { name: this.#topic, partitions },
    ]);
    return new Map(
      listed.topics
        .flatMap((topic) => topic.partitions)
        .map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]),
    );
  }
}

/** The metadata is right: the partition has no leader. So it is kept. */
class LeaderlessError extends KafkaUnavailableError {}

type FetchAnswer = Awaited<ReturnType<typeof fetchV12.api.async>>;
type Answer = FetchAnswer['responses'][number]['partitions'][number];

function decoded(answer: Answer, position: number): FetchedPartition {
  const { partitionIndex: partition } = answer;
  const highWatermark = Number(answer.highWatermark);
  const records: FetchedRecord[] = [];
  let next = position;
  for (const batch of answer.records ?? []) {
    const first = Number(batch.firstOffset);
    next = Math.max(next, first + batch.lastOffsetDelta + 1);
    if ((batch.attributes & CONTROL_BATCH) !== 0) continue;
    const firstTimestamp = Number(batch.firstTimestamp);
    for (const record of batch.records) {
      const offset = first + record.offsetDelta;
      // A batch is sent whole, also if the position is in its middle.
      if (offset < position) continue;
      const headers: Record<string, Buffer> = {};
      for (const [name, value] of record.headers) headers[String(name)] = value ?? NO_BYTES;
      records.push({
        offset,
        timestamp: firstTimestamp + Number(record.timestampDelta),
        key: record.key,
        value: record.value,
        headers,
      });
    }
  }
  return { partition, records, next, highWatermark };
}

function byLeader(
  metadata: ClusterMetadata,
  topic: string,
  positions: ReadonlyMap<number, number>,
): Map<number, [number, number][]> {
  const leaders = new Map<number, [number, number][]>();
  for (const position of positions) {
    const leader = metadata.topics.get(topic)?.partitions[position[0]]?.leader ?? -1;
    const ofLeader = leaders.get(leader);
    if (ofLeader === undefined) leaders.set(leader, [position]);
    else ofLeader.push(position);
  }
  return leaders;
}
