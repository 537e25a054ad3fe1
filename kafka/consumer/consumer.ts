import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { Log } from '../log.ts';
import type { PackedHeaders } from './packed-headers.ts';

export interface TopicPartition {
  topic: string;
  partition: number;
}

/** A record as it was fetched. Key and value may be null in Kafka. Buffers are views that stay valid. */
export interface FetchedRecord {
  /** Kafka's offsets have 64 bits. A number holds them exactly up to 2^53, more than any topic of ours will reach. */
  offset: number;
  /** Milliseconds since 1970, from the record's timestamp. */
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  /** Decoded on first use. If a name is repeated, its last value counts; a null value reads as empty. */
  readonly headers: Record<string, Buffer>;
  /** The undecoded headers, if the client keeps them: cheap to pass on; `readPackedHeaders` decodes them. */
  readonly packedHeaders?: PackedHeaders;
}

export interface FetchedBatch extends TopicPartition {
  records: FetchedRecord[];
  /** Offset after the newest record of the partition, for lag. */
  highWatermark: number;
}

/**
 * What a group consumer tells its owner. A partition is assigned, and later either revoked or lost. Rebalances are eager: each one ends the
 * whole assignment, and a partition that this member keeps is assigned again.
 */
export interface ConsumerListener {
  /**
   * The partitions are assigned. Awaited: after it resolves, they are fetched from their committed offset on. If it rejects, the member
   * leaves and joins again after a pause.
   */
  onAssigned(partitions: TopicPartition[]): Promise<void>;
  /**
   * The whole assignment is about to be given up, and the member is still in its generation. Finish what is in flight within a time limit
   * of your own, and `commit`. Awaited before the member rejoins or leaves.
   */
  onRevoked(partitions: TopicPartition[]): Promise<void>;
  /** The whole assignment is lost (the session timed out, or the client crashed). Drop all state and never commit. */
  onLost(partitions: TopicPartition[]): void;
  /**
   * Must return at once, because the next fetch from a broker may begin only after every batch of the last one was handed over. The work
   * goes on elsewhere; bound it with `pause`. Offsets of a partition ascend.
   */
  onBatch(batch: FetchedBatch): void;
}

/** The state of a member in its group. `restarting`: a new client connects. */
export type MemberState = 'restarting' | 'joining' | 'assigned' | 'revoking' | 'leaving' | 'left';

/** What stands still, why, and since when (milliseconds since 1970). Without a partition, the whole member stands. */
export interface Standing {
  partition?: TopicPartition;
  reason: string;
  since: number;
}

export interface MemberHealth {
  state: MemberState;
  /** When the member entered the state. */
  since: number;
  /** When an answer of the group last proved the membership. */
  provenAt: number;
  /** How many times the member was started again with a new client. */
  restarts: number;
  /** Empty when nothing stands. */
  standing: readonly Standing[];
}

export interface GroupConsumer {
  /** Partitions assigned to this member now. */
  readonly assignment: readonly TopicPartition[];
  /** Whether the member works, and what stands. A problem shows here within 15 s. */
  readonly health: MemberHealth;
  /**
   * Commits positions (the offset of the next record to read) of partitions in the current assignment. A success proves the membership,
   * which an epoch claim relies on.
   * @throws NotAMemberError when this member is no longer in the group's generation
   * @throws KafkaUnavailableError on an outage
   */
  commit(positions: (TopicPartition & { offset: number })[]): Promise<void>;
  pause(partitions: TopicPartition[]): void;
  resume(partitions: TopicPartition[]): void;
  /** The next batch of the partition starts at `offset`. Records that were fetched before are not handed over any more. */
  seek(partition: TopicPartition & { offset: number }): void;
  /** Revokes the assignment and leaves the group. */
  close(): Promise<void>;
}

export interface ConsumerOptions {
  clientId: string;
  cluster: KafkaCluster;
  groupId: string;
  topics: string[];
  /** Where a partition without a committed offset starts. Default: earliest, so that no record is skipped. */
  from?: 'earliest' | 'latest';
  sessionTimeoutMs?: number;
  /** After a fetch with few records the next fetch waits this long, so that records gather. 0, the default, never waits. */
  fetchIntervalMs?: number;
  /** Most bytes of one partition in one fetch. */
  partitionBytesMax?: number;
  /** Gets one line when a problem begins and one when it ends. */
  log?: Log;
}
