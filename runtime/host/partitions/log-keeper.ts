// Compares the logs in Kafka with those that the database remembers.

import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaCluster } from '../../../contracts/config/kafka-cluster.ts';
import { createTopicLog, KafkaUnavailableError, type TopicLog, type TopicLook } from '../../../kafka/index.ts';
import {
  type BoundedPool,
  decideLog,
  type EnteredLog,
  enterLogs,
  knownLogs,
  type LogProgress,
  noteProgress,
  noteSkipped,
  rememberPartitions,
  type SeenLog,
  type SkippedRange,
  type Subscription,
} from '../../../store/index.ts';

/** A leader that was just elected may not know the whole log for a moment, so a log that looks shorter is checked again. */
const SECOND_LOOK_MS = 1_000;

/**
 * Knows which logs a group works on: it compares what Kafka has with what the database remembers. `OwnershipStore` and `LogWatch` use it.
 */
export interface LogKeeper {
  /** Undefined if the topic does not exist. */
  look(partitions: readonly number[]): Promise<TopicLook | undefined>;
  /** How many partitions the topic had when orders were written to it. */
  remembered(partitions: number): Promise<number>;
  progress(progress: readonly LogProgress[]): Promise<void>;
  skipped(range: SkippedRange): Promise<void>;
}

/** Only of the topic in Kafka: without a database nothing is remembered. */
export class TopicLogKeeper implements LogKeeper {
  readonly #topicLog: TopicLog;
  readonly #subscription: Subscription;
  readonly #pool: BoundedPool | undefined;

  constructor(
    options: { clientId: string; cluster: KafkaCluster },
    subscription: Subscription,
    pool: BoundedPool | undefined,
  ) {
    this.#topicLog = createTopicLog({ ...options, topic: subscription.topic });
    this.#subscription = subscription;
    this.#pool = pool;
  }

  look(partitions: readonly number[]): Promise<TopicLook | undefined> {
    return this.#topicLog.look(partitions);
  }

  async remembered(partitions: number): Promise<number> {
    const { topic } = this.#subscription;
    return (await this.#pool?.call((database) => rememberPartitions(database, topic, partitions))) ?? partitions;
  }

  async progress(progress: readonly LogProgress[]): Promise<void> {
    await this.#pool?.call((database) => noteProgress(database, this.#subscription, progress));
  }

  async skipped(range: SkippedRange): Promise<void> {
    await this.#pool?.call((database) => noteSkipped(database, this.#subscription, range));
  }

  /**
   * What Kafka has of partitions that this process is about to work on. Partitions without a leader are left out.
   * @throws KafkaUnavailableError, also if the topic or the partition does not exist: it may be created again
   */
  async see(partitions: readonly number[]): Promise<SeenLog[]> {
    const seen = await this.#see(partitions);
    const pool = this.#pool;
    if (pool === undefined) return seen;
    const known = await pool.call((database) => knownLogs(database, this.#subscription, partitions));
    const isShorter = (each: SeenLog) => decideLog(each, known.get(each.partition) ?? []).change === 'shortened';
    if (!seen.some(isShorter)) return seen;
    await delay(SECOND_LOOK_MS);
    return await this.#see(partitions);
  }

  /** Called by the owner after its claim, to begin work on the logs that `see` returned. */
  async enter(seen: readonly SeenLog[]): Promise<EnteredLog[]> {
    const pool = this.#pool;
    if (pool === undefined)
      return seen.map((each) => {
        const { ends: _, ...entered } = decideLog(each, []);
        return entered;
      });
    return await pool.call((database) => enterLogs(database, this.#subscription, seen));
  }

  close(): Promise<void> {
    return this.#topicLog.close();
  }

  async #see(partitions: readonly number[]): Promise<SeenLog[]> {
    const { group, topic } = this.#subscription;
    const [look, committed] = await Promise.all([
      this.#topicLog.look(partitions),
      this.#topicLog.committed(group, partitions),
    ]);
    if (look === undefined) throw new KafkaUnavailableError(`topic ${topic} does not exist`);
    const none = partitions.find((partition) => partition >= look.partitions);
    if (none !== undefined) throw new KafkaUnavailableError(`topic ${topic} has no partition ${none}`);
    return partitions.flatMap((partition) => {
      const range = look.ranges.get(partition);
      if (range === undefined) return [];
      const position = committed.get(partition);
      const { logId, clusterId } = look;
      return [{ partition, logId, clusterId, ...range, ...(position === undefined ? {} : { committed: position }) }];
    });
  }
}
