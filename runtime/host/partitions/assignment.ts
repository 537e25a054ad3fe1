import type { GroupConsumer, TopicPartition } from '../../../kafka/index.ts';
import type { AssignedPartition, PauseReason } from './assigned-partition.ts';

/** The partitions that this process holds, and the consumer that fetches them. A partition is current until it is forgotten. */
export class Assignment {
  /** Undefined until the group was joined. */
  consumer: GroupConsumer | undefined;
  readonly #topic: string;
  readonly #partitions = new Map<number, AssignedPartition>();
  #generations = 0;

  constructor(topic: string) {
    this.#topic = topic;
  }

  /** Counts this process's assignments and fresh starts, to tell late answers. */
  nextGeneration(): number {
    return ++this.#generations;
  }

  add(partition: AssignedPartition): void {
    this.#partitions.set(partition.partition, partition);
  }

  /** @returns whether it was current. */
  remove(partition: AssignedPartition): boolean {
    return this.holds(partition) && this.#partitions.delete(partition.partition);
  }

  get(partition: number): AssignedPartition | undefined {
    return this.#partitions.get(partition);
  }

  all(): Iterable<AssignedPartition> {
    return this.#partitions.values();
  }

  *ofSlot(slot: number): Iterable<AssignedPartition> {
    for (const partition of this.#partitions.values()) if (partition.slot === slot) yield partition;
  }

  at(places: TopicPartition[]): AssignedPartition[] {
    return places.flatMap(({ partition }) => this.#partitions.get(partition) ?? []);
  }

  holds(partition: AssignedPartition): boolean {
    return this.#partitions.get(partition.partition) === partition;
  }

  /** Whether it is current and has not been started afresh since `generation`. */
  isCurrent(partition: AssignedPartition, generation: number): boolean {
    return this.holds(partition) && partition.generation === generation;
  }

  place({ partition }: AssignedPartition): TopicPartition {
    return { topic: this.#topic, partition };
  }

  pause(partition: AssignedPartition, reason: PauseReason): void {
    if (partition.pauses.size === 0) this.consumer?.pause([this.place(partition)]);
    partition.pauses.add(reason);
  }

  resume(partition: AssignedPartition, reason: PauseReason): void {
    if (!partition.pauses.delete(reason) || partition.pauses.size > 0) return;
    this.consumer?.resume([this.place(partition)]);
  }

  /** Forgets all that is in flight of the partition; nothing is fetched of it until it is open again. */
  restart(partition: AssignedPartition): void {
    partition.restart(this.nextGeneration());
    this.consumer?.pause([this.place(partition)]);
  }
}
