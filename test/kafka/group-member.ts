import type { FetchedBatch, TopicPartition } from '../../kafka/consumer/consumer.ts';
import { type ConsumerListener, type ConsumerOptions, createConsumer, type GroupConsumer } from '../../kafka/index.ts';

export interface SeenRecord {
  member: string;
  partition: number;
  offset: number;
  value: string;
}

/** A member that commits what it has seen when it is revoked, and every `commitEvery` records. Its events are in `log`, in order. */
export class GroupMember implements ConsumerListener {
  readonly name: string;
  readonly log: string[] = [];
  readonly seen: SeenRecord[] = [];
  readonly #next = new Map<number, TopicPartition & { offset: number }>();
  #consumer: GroupConsumer | undefined;
  /** Awaited in `onRevoked` before the commit. */
  drain: () => Promise<void> = async () => {};
  onSeen: (record: SeenRecord) => void = () => {};

  static async join(name: string, options: Omit<ConsumerOptions, 'clientId'>): Promise<GroupMember & AsyncDisposable> {
    const member = new GroupMember(name);
    member.#consumer = await createConsumer({ clientId: name, sessionTimeoutMs: 6_000, ...options }, member);
    return Object.assign(member, { [Symbol.asyncDispose]: () => member.consumer.close() });
  }

  private constructor(name: string) {
    this.name = name;
  }

  get consumer(): GroupConsumer {
    if (this.#consumer === undefined) throw new Error('assigned before createConsumer resolved');
    return this.#consumer;
  }

  async onAssigned(partitions: TopicPartition[]): Promise<void> {
    // The consumer exists by now, so an owner can commit from here.
    this.log.push(`assigned ${list(this.consumer.assignment)}`);
    if (list(partitions) !== list(this.consumer.assignment))
      throw new Error('assignment differs from what was assigned');
  }

  async onRevoked(partitions: TopicPartition[]): Promise<void> {
    this.log.push(`revoking ${list(partitions)}`);
    await this.drain();
    await this.commitSeen();
    this.#next.clear();
    this.log.push('revoked');
  }

  onLost(partitions: TopicPartition[]): void {
    this.#next.clear();
    this.log.push(`lost ${list(partitions)}`);
  }

  onBatch({ topic, partition, records }: FetchedBatch): void {
    for (const { offset, value } of records) {
      const record = { member: this.name, partition, offset, value: String(value) };
      this.seen.push(record);
      this.#next.set(partition, { topic, partition, offset: offset + 1 });
      this.onSeen(record);
    }
  }

  commitSeen(): Promise<void> {
    return this.consumer.commit([...this.#next.values()]);
  }
}

function list(partitions: readonly TopicPartition[]): string {
  return partitions
    .map(({ partition }) => partition)
    .sort((a, b) => a - b)
    .join(',');
}
