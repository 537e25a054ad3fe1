import type { Log } from '../log.ts';
import type { PackedHeaders } from './packed-headers.ts';

export interface TopicPartition {
  topic: string;
  partition: number;
}

/** A record as fetched. Key and value may be null in Kafka. Buffers are views that stay valid. */
export interface FetchedRecord {
  /** Kafka's offsets have 64 bits; a number holds them exactly up to 2^53, more than any topic of ours will reach. */
  offset: number;
  /** Milliseconds since 1970, from the record's timestamp. */
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  /** Decoded on first use. Of repeated header names the last value counts; null values read as empty. */
  readonly headers: Record<string, Buffer>;
  /** The headers before decoding, if the client keeps them: cheap to pass on, decoded by `readPackedHeaders`. */
  readonly packedHeaders?: PackedHeaders;
}

export interface FetchedBatch extends TopicPartition {
  records: FetchedRecord[];
  /** Offset after the newest record of the partition, for lag. */
  highWatermark: number;
}

/**
 * What a group consumer tells its owner. A partition has three moments: it is assigned, and then either revoked or lost. Rebalances
 * are eager: each one ends the whole assignment, and a partition that this member keeps is assigned again.
 */
export interface ConsumerListener {
  /**
   * Assigned, before their first batch: it is awaited, and fetching of them starts at their committed offset after it resolves. When it
   * rejects, the member leaves and joins again after a pause.
   */
  onAssigned(partitions: TopicPartition[]): Promise<void>;
  /**
   * About to be given up, the whole assignment, while the member is still in its generation: finish what is in flight within a
   * time limit of your own and `commit`. Awaited before the member rejoins or leaves.
   */
  onRevoked(partitions: TopicPartition[]): Promise<void>;
  /** No longer ours, the whole assignment (the session timed out, or the client crashed): drop all state, never commit. */
  onLost(partitions: TopicPartition[]): void;
  /**
   * Must return at once: an implementation may fetch from a broker only after every batch of the last fetch was handed over.
   * Work goes on elsewhere; bound it with `pause`. Offsets of a partition are ascending.
   */
  onBatch(batch: FetchedBatch): void;
}

/** Where a member stands in its group. `restarting`: a client connects, afresh. */
export type MemberState = 'restarting' | 'joining' | 'assigned' | 'revoking' | 'leaving' | 'left';

/** What stands still, why, and since when (milliseconds since 1970). Without a partition it is the whole member. */
export interface Standing {
  partition?: TopicPartition;
  reason: string;
  since: number;
}

export interface MemberHealth {
  state: MemberState;
  /** When it entered the state. */
  since: number;
  /** When the group last answered in a way that proves the membership. */
  provenAt: number;
  /** Times that the member started afresh with a new client. */
  restarts: number;
  /** Empty when everything moves. */
  standing: readonly Standing[];
}

export interface GroupConsumer {
  /** Partitions assigned to this member now. */
  readonly assignment: readonly TopicPartition[];
  /** Whether it works, and what does not; known within 15 s. */
  readonly health: MemberHealth;
  /**
   * Commits positions (the offset of the next record to read), for partitions of the current assignment only.
   * Rejects with `NotAMemberError` when this member is no longer in the group's generation: the proof of membership that an
   * epoch claim rests on. Rejects with `KafkaUnavailableError` on an outage.
   */
  commit(positions: (TopicPartition & { offset: number })[]): Promise<void>;
  pause(partitions: TopicPartition[]): void;
  resume(partitions: TopicPartition[]): void;
  /** The next batch of the partition starts at `offset`: what was fetched before isn't handed over any more. */
  seek(partition: TopicPartition & { offset: number }): void;
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
  /** After a fetch that brought little, the next one waits so long, so that records gather. 0, the default, never waits. */
  fetchIntervalMs?: number;
  /** Most bytes of one partition in one fetch. */
  partitionBytesMax?: number;
  /** Is told of trouble, once when it begins and once when it ends. */
  log?: Log;
}
