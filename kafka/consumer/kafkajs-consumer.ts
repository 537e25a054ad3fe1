import type { EachBatchPayload } from 'kafkajs';
import { systemTimers } from '../../contracts/timers.ts';
import { NotAMemberError } from '../errors.ts';
import { groupError } from '../kafkajs/kafkajs-errors.ts';
import { silentLog } from '../log.ts';
import type { ConsumerListener, ConsumerOptions, GroupConsumer, MemberHealth, TopicPartition } from './consumer.ts';
import { FetchPace } from './fetch-pace.ts';
import { fetchedBatch } from './fetched-batch.ts';
import { GroupControl } from './group-control.ts';
import { KafkajsSession } from './kafkajs-session.ts';
import { type GroupAnswer, Membership, type MembershipCarrier } from './membership.ts';

/**
 * Joins the group and consumes until `close`. In an outage it goes on trying: a client that fails is replaced by a new one.
 * The first join is still in flight when the promise resolves.
 * @throws KafkaUnavailableError when the brokers cannot be reached at the start, or a topic does not exist.
 */
export async function createConsumer(options: ConsumerOptions, listener: ConsumerListener): Promise<GroupConsumer> {
  const consumer = new KafkajsGroupConsumer(options, listener);
  await consumer.begin();
  return consumer;
}

/** kafkajs carries the requests; `Membership` decides. */
class KafkajsGroupConsumer implements GroupConsumer, MembershipCarrier {
  readonly #options: ConsumerOptions;
  readonly #listener: ConsumerListener;
  readonly #pace: FetchPace;
  readonly #membership: Membership;
  readonly #control: GroupControl;
  #session: KafkajsSession | undefined;

  constructor(options: ConsumerOptions, listener: ConsumerListener) {
    this.#options = options;
    this.#listener = listener;
    this.#pace = new FetchPace(options.fetchIntervalMs ?? 0);
    this.#membership = new Membership(this, listener, systemTimers, options.log ?? silentLog);
    this.#control = new GroupControl(options);
  }

  async begin(): Promise<void> {
    try {
      await this.#membership.begin();
    } catch (error) {
      this.#control.close();
      throw groupError(`group ${this.#options.groupId} cannot start`, error);
    }
  }

  get assignment(): readonly TopicPartition[] {
    return this.#membership.ledger.assignment;
  }

  get health(): MemberHealth {
    return this.#membership.health;
  }

  async commit(positions: (TopicPartition & { offset: number })[]): Promise<void> {
    this.#membership.ledger.requireHeld(positions);
    const topics = new Map<string, { partition: number; offset: string; metadata: null }[]>();
    for (const { topic, partition, offset } of positions) {
      const partitions = topics.get(topic) ?? [];
      partitions.push({ partition, offset: String(offset), metadata: null });
      topics.set(topic, partitions);
    }
    const committed = await this.#session
      ?.commit({ topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) })
      .catch((error: unknown) => {
        throw groupError(`commit of group ${this.#options.groupId}`, error);
      });
    if (committed !== true) throw new NotAMemberError('no assignment');
  }

  pause(partitions: TopicPartition[]): void {
    this.#membership.pause(partitions);
  }

  resume(partitions: TopicPartition[]): void {
    this.#membership.resume(partitions);
  }

  seek(position: TopicPartition & { offset: number }): void {
    this.#session?.seek(position);
  }

  async close(): Promise<void> {
    await this.#membership.close();
    this.#control.close();
  }

  async start(client: number): Promise<void> {
    const session = new KafkajsSession(client, this.#options, this.#membership, this.#control);
    this.#session = session;
    await session.start((payload) => this.#eachBatch(session, payload));
  }

  async end(client: number): Promise<void> {
    const session = this.#session;
    if (session?.number !== client) return;
    this.#session = undefined;
    await session.end();
  }

  hold(partitions: readonly TopicPartition[]): void {
    this.#session?.pause(partitions);
  }

  fetch(partitions: readonly TopicPartition[]): void {
    this.#session?.resume(partitions);
  }

  ask(client: number): Promise<GroupAnswer> {
    const session = this.#session;
    if (session?.number !== client) return Promise.reject(new Error('this client has ended'));
    return session.ask();
  }

  async #eachBatch(session: KafkajsSession, payload: EachBatchPayload): Promise<void> {
    const { batch, isStale, resolveOffset, heartbeat } = payload;
    // A batch that was fetched before a seek is stale. Handing it over would skip the records between the seek and the batch.
    if (this.#membership.takes(session.number, batch) && !isStale()) {
      this.#listener.onBatch(fetchedBatch(batch.topic, batch.partition, batch));
      // Moves the fetch position only; the owner commits. If the listener has called `seek`, the seek counts.
      resolveOffset(batch.lastOffset());
    }
    await heartbeat();
    await this.#pace.wait(batch.messages.length);
  }
}
