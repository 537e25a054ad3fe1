import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { PartitionFetcher } from './partition-fetcher.ts';
import type { ReadRecord } from './reader.ts';

/** The read ended at its own limit, not at the end of the log. */
export interface ReadBounds {
  bytesMax: number;
  msMax: number;
}

export interface RangeRead {
  /** Where the next read begins. */
  next: number;
  /** Everything that was durable when the read began has been read. */
  atEnd: boolean;
  /** The oldest record that is left is after the position: the records between were removed. */
  skipped: boolean;
}

/**
 * Reads single partitions of a topic, from a position to the end that the log has when the read begins. It can be called many times; its
 * connections stay open. A record that was acknowledged before the call is before that end.
 */
export class RangeReader {
  readonly #fetcher: PartitionFetcher;
  readonly #topic: string;

  constructor(options: { clientId: string; cluster: KafkaCluster; topic: string }) {
    this.#fetcher = new PartitionFetcher(options);
    this.#topic = options.topic;
  }

  /**
   * @param ageMsMax Kafka is asked again when the known number is older
   * @throws KafkaUnavailableError; RecordRefusedError when the topic does not exist
   */
  partitionCount(ageMsMax?: number): Promise<number> {
    return this.#fetcher.partitionCount(ageMsMax);
  }

  /** @throws KafkaUnavailableError on an outage */
  async read(
    partition: number,
    from: number,
    { bytesMax, msMax }: ReadBounds,
    onRecord: (record: ReadRecord) => void,
  ): Promise<RangeRead> {
    const until = performance.now() + msMax;
    const read: RangeRead = { next: from, atEnd: false, skipped: false };
    let bytes = 0;
    let end: number | undefined;
    while (bytes < bytesMax && performance.now() < until) {
      const [fetched] = await this.#fetcher.fetch(new Map([[partition, read.next]]), 0);
      if (fetched === undefined) continue;
      // The first answer came after the call, so records that were acknowledged before the call are before this end.
      if (fetched.outOfRange) read.skipped = true;
      else end ??= fetched.highWatermark;
      for (const record of fetched.records) {
        bytes += (record.value?.length ?? 0) + (record.key?.length ?? 0);
        onRecord(Object.assign(record, { topic: this.#topic, partition }));
      }
      read.next = fetched.next;
      if (end !== undefined && read.next >= end) return { ...read, atEnd: true };
    }
    return read;
  }

  close(): Promise<void> {
    return this.#fetcher.close();
  }
}
