import type { GroupConsumer, TopicPartition } from '../../../kafka/index.ts';
import type { AssignedPartition, PauseReason } from './assigned-partition.ts';

/** The partitions that this process holds, and the consumer that fetches them. A partition is current until it is removed. */
export class Assignment {
  /** Undefined until the group was joined. */
  consumer: GroupConsumer | undefined;
  readonly #topic: string;
  readonly #partitions = new Map<number, AssignedPartition>();
  #incarnations = 0;

  constructor(topic: string) {
    this.#topic = topic;
  }

  /** Numbers each opening of a partition, so that late answers are recognised. */
  nextIncarnation(): number {
    return ++this.#incarnations;
  }

  add(partition: AssignedPartition): void {
    this.#partitions.set(partition.partition, partition);
  }

  /** @returns whether the partition was current */
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

  /** Whether the partition is current and still has this incarnation. */
  isCurrent(partition: AssignedPartition, incarnation: number): boolean {
    return this.holds(partition) && partition.incarnation === incarnation;
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

  /** Forgets all that is in flight of the partition. Nothing of it is fetched until it is open again. */
  restart(partition: AssignedPartition): void {
    partition.restart(this.nextIncarnation());
    this.consumer?.pause([this.place(partition)]);
  }
}
