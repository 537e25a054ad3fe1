// Reads or follows a whole topic, without a group.

import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin } from '../admin/admin.ts';
import type { FetchedRecord, TopicPartition } from '../consumer/consumer.ts';
import { KafkaUnavailableError, RecordRefusedError } from '../errors.ts';
import { type FetchedPartition, PartitionFetcher } from './partition-fetcher.ts';

const FETCH_WAIT_MS = 500;
const RETRY_MS = 200;
/** A read that makes no progress for this long fails instead of waiting for ever. */
const STALL_MAX_MS = 30_000;
/** How often a tail checks whether the topic has more partitions. */
const PARTITIONS_MS = 10_000;

export type ReadRecord = FetchedRecord & TopicPartition;

export interface ReadOptions {
  cluster: KafkaCluster;
  topic: string;
  clientId?: string;
  /** Positions by partition; partitions that are absent start at their earliest record. */
  fromOffsets?: ReadonlyMap<number, number>;
}

/**
 * Reads every partition of a topic, from its start (or `fromOffsets`) to the end that it had when the read began, without a group. The
 * order of each partition is kept. One fetch is in memory at a time; a promise from `onRecord` is awaited before the next record.
 * @returns the number of records
 * @throws KafkaUnavailableError when a partition makes no progress for 30 s; RecordRefusedError when the topic does not exist
 */
export async function readTopic(
  options: ReadOptions,
  onRecord: (record: ReadRecord) => void | Promise<void>,
): Promise<number> {
  const ends = new Map<number, number>();
  const positions = new Map<number, number>();
  for (const { partition, earliest, latest } of await ranges(options)) {
    const from = Math.max(earliest, options.fromOffsets?.get(partition) ?? earliest);
    if (from >= latest) continue;
    positions.set(partition, from);
    ends.set(partition, latest);
  }
  let count = 0;
  await using fetcher = open(options);
  let movedAt = performance.now();
  while (positions.size > 0) {
    const fetched = await fetcher
      .fetch(positions, FETCH_WAIT_MS)
      .catch(async (error: Error): Promise<FetchedPartition[]> => {
        if (performance.now() - movedAt > STALL_MAX_MS) throw error;
        await delay(RETRY_MS);
        return [];
      });
    for (const { partition, records, next } of fetched) {
      const end = ends.get(partition) ?? 0;
      for (const record of records) {
        if (record.offset >= end) break;
        count++;
        const pending = onRecord(Object.assign(record, { topic: options.topic, partition }));
        if (pending !== undefined) await pending;
      }
      if (next > (positions.get(partition) ?? 0)) movedAt = performance.now();
      if (next >= end) positions.delete(partition);
      else positions.set(partition, next);
    }
    if (fetched.length > 0 && fetcher.trouble !== undefined) await delay(RETRY_MS);
    if (performance.now() - movedAt > STALL_MAX_MS)
      throw new KafkaUnavailableError(
        `${options.topic}: no progress in partitions ${[...positions.keys()].join(', ')}`,
      );
  }
  return count;
}

export interface TailOptions extends ReadOptions {
  /** Where partitions start that are not in `fromOffsets`. */
  from: 'earliest' | 'latest';
  /**
   * Called once with the reason when the topic can't be read any more or `onRecord` has thrown, and once with `undefined` when reading
   * works again.
   */
  onTrouble: (reason: Error | undefined) => void;
}

export interface Tail {
  /** The offset of the next record, by partition. */
  positions(): ReadonlyMap<number, number>;
  /** Resolves when the last call of `onRecord` has returned. */
  close(): Promise<void>;
}

/**
 * Follows every partition of a topic, without a group and without an end: each process that tails gets every record. In an outage it waits,
 * and then goes on at its position. Partitions that are added to the topic later are read from their start. If `onRecord` throws, its
 * record is skipped.
 * @throws KafkaUnavailableError when the brokers can't be reached at the start; RecordRefusedError when the topic does not exist
 */
export async function tailTopic(options: TailOptions, onRecord: (record: ReadRecord) => void): Promise<Tail> {
  const positions = new Map<number, number>();
  for (const { partition, earliest, latest } of await ranges(options)) {
    const from = options.from === 'earliest' ? earliest : latest;
    positions.set(partition, Math.max(earliest, options.fromOffsets?.get(partition) ?? from));
  }
  const fetcher = open(options);
  let closing = false;
  let troubled = false;
  const tell = (reason: Error | undefined) => {
    if (closing || troubled === (reason !== undefined)) return;
    troubled = reason !== undefined;
    options.onTrouble(reason);
  };
  const hand = (record: ReadRecord) => {
    try {
      onRecord(record);
    } catch (error) {
      const place = `${record.topic} partition ${record.partition} offset ${record.offset}`;
      tell(new Error(`the record ${place} is passed over: ${(error as Error).message}`, { cause: error }));
    }
  };
  let countedAt = performance.now();
  const addPartitions = async () => {
    const count = await fetcher.partitionCount(0);
    for (let partition = 0; partition < count; partition++) if (!positions.has(partition)) positions.set(partition, 0);
    countedAt = performance.now();
  };
  const loop = async () => {
    while (!closing) {
      let fetched: FetchedPartition[];
      try {
        if (performance.now() - countedAt > PARTITIONS_MS) await addPartitions();
        fetched = await fetcher.fetch(positions, FETCH_WAIT_MS);
      } catch (error) {
        tell(error as Error);
        if (!closing) await delay(RETRY_MS);
        continue;
      }
      if (closing) return;
      tell(fetcher.trouble);
      for (const { partition, records, next } of fetched) {
        for (const record of records) hand(Object.assign(record, { topic: options.topic, partition }));
        positions.set(partition, next);
      }
      // If one of the partitions has an error, a broker answers at once, without waiting for data.
      if (fetcher.trouble !== undefined && !closing) await delay(RETRY_MS);
    }
  };
  const finished = loop();
  return {
    positions: () => positions,
    async close() {
      closing = true;
      await fetcher.close();
      await finished;
    },
  };
}

async function ranges({ cluster, topic, clientId = 'ordermesh-reader' }: ReadOptions) {
  const admin = await createAdmin({ clientId, cluster });
  try {
    const partitions = await admin.offsets(topic);
    if (partitions.length === 0) throw new RecordRefusedError(`topic ${topic} does not exist`);
    return partitions;
  } finally {
    await admin.close();
  }
}

function open({ cluster, topic, clientId = 'ordermesh-reader' }: ReadOptions): PartitionFetcher & AsyncDisposable {
  const fetcher = new PartitionFetcher({ clientId, cluster, topic });
  return Object.assign(fetcher, { [Symbol.asyncDispose]: () => fetcher.close() });
}
