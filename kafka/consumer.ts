export interface TopicPartition {
  topic: string;
  partition: number;
}

/** A record as fetched. Key and value may be null in Kafka. Buffers are views that stay valid. */
export interface FetchedRecord {
  /** Kafka's decimal offset. */
  offset: bigint;
  /** Milliseconds since the epoch, from the record's timestamp. */
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  /** Repeated header names keep their last value. */
  headers: Record<string, Buffer>;
}

export interface FetchedBatch extends TopicPartition {
  records: FetchedRecord[];
  /** Offset after the newest record of the partition, for lag. */
  highWatermark: bigint;
}

/**
 * What a group consumer tells its owner. Partitions have three moments: assigned, revoked and lost.
 */
export interface ConsumerListener {
  /** Newly assigned, before their first batch. Awaited: fetching of them starts after it resolves. */
  onAssigned(partitions: TopicPartition[]): Promise<void>;
  /**
   * About to be given up while the member is still in its generation: finish what is under way within a time limit of your
   * own and `commit`. Awaited before the member rejoins.
   */
  onRevoked(partitions: TopicPartition[]): Promise<void>;
  /** No longer ours (the session timed out, or a rebalance passed without a chance to drain): drop all state, never commit. */
  onLost(partitions: TopicPartition[]): void;
  /**
   * Must return at once: an implementation may fetch from a broker only after every batch of the last fetch was handed over.
   * Work goes on elsewhere; bound it with `pause`. Offsets of a partition are ascending; after a rebalance a kept partition
   * can deliver records again from its committed offset, so the owner skips what it already has.
   */
  onBatch(batch: FetchedBatch): void;
}

export interface GroupConsumer {
  /** Partitions assigned to this member now. */
  readonly assignment: readonly TopicPartition[];
  /**
   * Commits positions (the offset of the next record to read), for partitions of the current assignment only.
   * Rejects with `NotAMemberError` when this member is no longer in the group's generation: the proof of membership that an
   * epoch claim rests on. Rejects with `KafkaUnavailableError` on an outage.
   */
  commit(positions: (TopicPartition & { offset: bigint })[]): Promise<void>;
  pause(partitions: TopicPartition[]): void;
  resume(partitions: TopicPartition[]): void;
  /** The next fetch of the partition starts at `offset`. */
  seek(partition: TopicPartition & { offset: bigint }): void;
  /** Revokes (drains, commits) and leaves the group. */
  close(): Promise<void>;
}

export interface ConsumerOptions {
  clientId: string;
  brokers: string[];
  groupId: string;
  topics: string[];
  /** Where a partition without a committed offset starts. Default: earliest, so that nothing is skipped. */
  from?: 'earliest' | 'latest';
  sessionTimeoutMs?: number;
  /** Most bytes of one partition in one fetch. */
  partitionBytesMax?: number;
}

/** The broker no longer counts this member in the current generation. */
export class NotAMemberError extends Error {
  override name = 'NotAMemberError';
}
