import { Base, type ClusterMetadata, type Connection, fetchV12, findErrorBy, listOffsetsV7 } from '@platformatic/kafka';
import type { FetchedRecord } from './consumer.ts';
import { KafkaUnavailableError, RecordRefusedError } from './errors.ts';
import { askAnotherBroker } from './platformatic-internals.ts';

const READ_COMMITTED = 1;
const CONTROL_BATCH = 1 << 5;
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
const PARTITION_BYTES_MAX = 1024 * 1024;
const OFFSET_OUT_OF_RANGE = 1;
/** Kafka's name for the start of a log in a question by timestamp. */
const EARLIEST = -2n;
/** No replica, but a reader. */
const CONSUMER = -1;
const NO_BYTES = Buffer.alloc(0);

export interface FetchedPartition {
  partition: number;
  records: FetchedRecord[];
  /** Where the next fetch of the partition goes on; past gaps that compaction or transactions left. */
  next: number;
  highWatermark: number;
  /** The position was outside of the log: what stood there is gone, or has never been. */
  outOfRange?: true;
}

/**
 * Fetches partitions of one topic at given positions, without a group: for readers that want all of a topic and keep their own
 * positions. Leaders and addresses are looked up again after every failure.
 */
export class PartitionFetcher {
  readonly #client: Base;
  readonly #topic: string;
  #metadata: ClusterMetadata | undefined;

  constructor(options: { clientId: string; brokers: string[]; topic: string }) {
    this.#topic = options.topic;
    this.#client = new Base({
      clientId: options.clientId,
      bootstrapBrokers: options.brokers,
      connectTimeout: 3_000,
      requestTimeout: 10_000,
      retries: 0,
    });
  }

  /**
   * One request per leader, for the given positions by partition. Waits up to `waitMs` for data when there is none.
   * @throws KafkaUnavailableError when a leader is missing or does not answer; what others answered is then fetched again.
   */
  async fetch(positions: ReadonlyMap<number, number>, waitMs: number): Promise<FetchedPartition[]> {
    try {
      const metadata = await this.#currentMetadata();
      const answers = await Promise.all(
        [...byLeader(metadata, this.#topic, positions)].map(([leader, ofLeader]) =>
          this.#fetchFrom(metadata, leader, ofLeader, waitMs),
        ),
      );
      return answers.flat();
    } catch (error) {
      this.#metadata = undefined;
      if (error instanceof KafkaUnavailableError) throw error;
      throw new KafkaUnavailableError(`fetch of ${this.#topic}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** @throws KafkaUnavailableError on an outage; RecordRefusedError when the topic does not exist */
  async partitionCount(): Promise<number> {
    const metadata = await this.#currentMetadata().catch((error: Error) => {
      throw new KafkaUnavailableError(`partitions of ${this.#topic}: ${error.message}`, { cause: error });
    });
    const count = metadata.topics.get(this.#topic)?.partitionsCount ?? 0;
    if (count === 0) throw new RecordRefusedError(`topic ${this.#topic} does not exist`);
    return count;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #currentMetadata(): Promise<ClusterMetadata> {
    this.#metadata ??= await this.#client
      .metadata({ topics: [this.#topic], forceUpdate: true })
      .catch((error: Error) => {
        askAnotherBroker(this.#client);
        throw error;
      });
    return this.#metadata;
  }

  async #fetchFrom(
    metadata: ClusterMetadata,
    leader: number,
    positions: [partition: number, offset: number][],
    waitMs: number,
  ): Promise<FetchedPartition[]> {
    const broker = metadata.brokers.get(leader);
    if (broker === undefined) throw new KafkaUnavailableError(`partitions of ${this.#topic} have no leader`);
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
        // One partition's error comes as the whole answer's; the answer itself is in it.
        if (findErrorBy(error as never, 'apiCode', OFFSET_OUT_OF_RANGE) === null) throw error;
        return (error as Error & { response: Awaited<ReturnType<typeof fetchV12.api.async>> }).response;
      });
    const wanted = new Map(positions);
    const answers = response.responses.flatMap((topic) => topic.partitions);
    const outside = answers.filter(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE);
    const earliest = await this.#earliest(connection, outside);
    return answers.map((partition) => {
      const { partitionIndex, errorCode } = partition;
      const position = wanted.get(partitionIndex) ?? 0;
      if (errorCode !== OFFSET_OUT_OF_RANGE) return decoded(partition, position);
      // Retention has removed what stood at the position, or the topic is another one or shorter than before: the oldest record that is there
      // is next. The answer itself does not say where the log begins or ends.
      const next = earliest.get(partitionIndex) ?? position;
      return { partition: partitionIndex, records: [], next, highWatermark: next, outOfRange: true };
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

type Answer = Awaited<ReturnType<typeof fetchV12.api.async>>['responses'][number]['partitions'][number];

function decoded(answer: Answer, position: number): FetchedPartition {
  const { partitionIndex: partition } = answer;
  const highWatermark = Number(answer.highWatermark);
  if (answer.errorCode !== 0) throw new KafkaUnavailableError(`partition ${partition}: error ${answer.errorCode}`);
  const records: FetchedRecord[] = [];
  let next = position;
  for (const batch of answer.records ?? []) {
    const first = Number(batch.firstOffset);
    next = Math.max(next, first + batch.lastOffsetDelta + 1);
    if ((batch.attributes & CONTROL_BATCH) !== 0) continue;
    const firstTimestamp = Number(batch.firstTimestamp);
    for (const record of batch.records) {
      const offset = first + record.offsetDelta;
      // A batch is sent whole, also when the position is in its middle.
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
