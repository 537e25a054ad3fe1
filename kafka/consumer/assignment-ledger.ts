import { NotAMemberError } from '../errors.ts';
import type { TopicPartition } from './consumer.ts';

/** An assigned partition, and whether its fetches succeed. */
export interface HeldPartition extends TopicPartition {
  /** When a fetch last succeeded, or when the partition was last paused; milliseconds since 1970. */
  fetchedAt: number;
  /** Observed time since `fetchedAt`: less than the clock says if this process itself stood still. */
  silentMs: number;
  /** Why the last fetch failed; undefined when it succeeded. */
  failure: string | undefined;
  /** The log has the line "partition stands" for it. */
  told: boolean;
}

/**
 * Which partitions a member holds, which of them are ready and which are paused. Pure state: `Membership` changes it and acts on it, and
 * the simulation (test/simulation/model-consumer.ts) runs the same class.
 */
export class AssignmentLedger {
  assignment: readonly TopicPartition[] = [];
  #held = new Map<string, HeldPartition>();
  /** The owner's `onAssigned` has resolved. Before that no batch is handed over. */
  #ready = false;
  #paused = new Set<string>();

  assign(partitions: readonly TopicPartition[], now: number): void {
    this.assignment = partitions;
    this.#held = new Map(
      partitions.map(({ topic, partition }) => [
        keyOf({ topic, partition }),
        { topic, partition, fetchedAt: now, silentMs: 0, failure: undefined, told: false },
      ]),
    );
    this.#ready = false;
    this.#paused = new Set();
  }

  /** @returns the partitions to fetch from now on. */
  open(): TopicPartition[] {
    this.#ready = true;
    return this.assignment.filter((partition) => !this.#paused.has(keyOf(partition)));
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.add(keyOf(partition));
  }

  /** @returns the partitions to fetch again now; none while `onAssigned` is in flight, because `open` returns them later. */
  resume(partitions: readonly TopicPartition[]): TopicPartition[] {
    for (const partition of partitions) this.#paused.delete(keyOf(partition));
    return this.#ready ? partitions.filter((partition) => this.#held.has(keyOf(partition))) : [];
  }

  has(partition: TopicPartition): boolean {
    return this.#held.has(keyOf(partition));
  }

  /**
   * To be called before a commit. Kafka takes a position of any partition from any member of the current generation, so a member that
   * commits a partition of an earlier assignment would overwrite the position of the new owner.
   * @throws NotAMemberError for a partition that is not assigned to this member now
   */
  requireHeld(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions)
      if (!this.has(partition)) throw new NotAMemberError(`${keyOf(partition)} is not assigned to this member`);
  }

  get(partition: TopicPartition): HeldPartition | undefined {
    return this.#held.get(keyOf(partition));
  }

  held(): Iterable<HeldPartition> {
    return this.#held.values();
  }

  /** Whether a batch of the partition may be handed to the owner. */
  takes(partition: TopicPartition): boolean {
    return this.#ready && this.has(partition);
  }

  /** Whether the partition is to be fetched: it is ready and not paused. */
  isFetched(partition: TopicPartition): boolean {
    return this.takes(partition) && !this.#paused.has(keyOf(partition));
  }
}

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** For people: `orders 0, 3`. */
export function listOf(partitions: readonly TopicPartition[]): string {
  if (partitions.length === 0) return 'nothing';
  return [...Map.groupBy(partitions, ({ topic }) => topic)]
    .map(
      ([topic, ofTopic]) =>
        `${topic} ${ofTopic
          .map(({ partition }) => partition)
          .sort((a, b) => a - b)
          .join(', ')}`,
    )
    .join('; ');
}
