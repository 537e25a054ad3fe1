import type { TopicPartition } from './consumer.ts';

/** An assigned partition and whether its fetches bring what they should. */
export interface HeldPartition extends TopicPartition {
  /** When a fetch last answered for it without a failure, or when it was last not to be fetched; milliseconds since the epoch. */
  fetchedAt: number;
  /** Observed time since then: less than the clock says when this process itself stood still. */
  silentMs: number;
  /** Why its last fetch failed; undefined when it did not. */
  failure: string | undefined;
  /** The log has a line that it stands. */
  told: boolean;
}

/** Which partitions a member holds, which of them are ready and which are paused. Pure state: `Membership` acts on it. */
export class AssignmentLedger {
  assignment: readonly TopicPartition[] = [];
  #held = new Map<string, HeldPartition>();
  /** The owner's `onAssigned` has resolved: only then batches are handed over. */
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

  /** @returns those to fetch again now: a partition that waits for `onAssigned` is fetched after that. */
  resume(partitions: readonly TopicPartition[]): TopicPartition[] {
    for (const partition of partitions) this.#paused.delete(keyOf(partition));
    return this.#ready ? partitions.filter((partition) => this.#held.has(keyOf(partition))) : [];
  }

  has(partition: TopicPartition): boolean {
    return this.#held.has(keyOf(partition));
  }

  get(partition: TopicPartition): HeldPartition | undefined {
    return this.#held.get(keyOf(partition));
  }

  held(): Iterable<HeldPartition> {
    return this.#held.values();
  }

  /** Its batches are handed over. */
  takes(partition: TopicPartition): boolean {
    return this.#ready && this.has(partition);
  }

  /** It is ready, and its owner does not hold it back. */
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
