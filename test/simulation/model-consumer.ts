import { settlesWithin } from '../../contracts/deadline.ts';
import type { ConsumerListener, GroupConsumer, MemberHealth, TopicPartition } from '../../kafka/consumer/consumer.ts';
import { type GroupAnswer, Membership, type MembershipCarrier } from '../../kafka/consumer/membership.ts';
import { NotAMemberError } from '../../kafka/errors.ts';
import type { Joined, ModelGroup } from './model-group.ts';
import { INPUT_TOPIC, type ModelLog } from './model-log.ts';
import type { Body } from './world.ts';

const HEARTBEAT_MS = 500;
const IDLE_FETCH_MS = 100;
const RETRY_MS = 250;
const LEAVE_MS_MAX = 2_000;

interface Position {
  offset: number;
  /** Counts seeks: records that were fetched before a seek are stale. */
  seeks: number;
}

/** One client of the member. */
interface Client {
  number: number;
  member: Joined | undefined;
  generationBefore: number | undefined;
  phase: 'joining' | 'revoking' | 'member';
  ended: boolean;
  /** A fault: it does nothing any more, without an error. */
  hangs: boolean;
}

export interface ConsumerModel {
  group: ModelGroup;
  log: ModelLog;
  batchRecordsMax: number;
  /**
   * A client like kafkajs: if it loses the answer to its SyncGroup, it goes on with heartbeats without an error, and the group is not
   * asked.
   */
  deafToLostSync: boolean;
}

/** The simulation judges by what happens, so log lines are dropped. */
const silent = { info() {}, warn() {}, error() {} };

/**
 * The real `Membership`, with its real ledger, on a modelled client: batches are handed over without waiting for their work; requests take
 * time, fail and are lost.
 */
export class ModelConsumer implements GroupConsumer, MembershipCarrier {
  readonly #body: Body;
  readonly #model: ConsumerModel;
  readonly #listener: ConsumerListener;
  readonly #membership: Membership;
  #positions: { of: readonly TopicPartition[]; by: Map<number, Position> } = { of: [], by: new Map() };
  #client: Client | undefined;
  #closed = false;

  constructor(body: Body, model: ConsumerModel, listener: ConsumerListener) {
    this.#body = body;
    this.#model = model;
    this.#listener = listener;
    this.#membership = new Membership(this, listener, body, silent);
  }

  async begin(): Promise<void> {
    await this.#membership.begin();
    this.#fetches();
  }

  get assignment(): readonly TopicPartition[] {
    return this.#membership.ledger.assignment;
  }

  get health(): MemberHealth {
    return this.#membership.health;
  }

  async commit(positions: (TopicPartition & { offset: number })[]): Promise<void> {
    this.#membership.ledger.requireHeld(positions);
    await this.commitUnchecked(new Map(positions.map(({ partition, offset }) => [partition, offset])));
  }

  /** A commit by a client that doesn't check its assignment. */
  async commitUnchecked(positions: ReadonlyMap<number, number>): Promise<void> {
    const client = this.#client;
    if (client?.member === undefined) throw new NotAMemberError('no assignment');
    const { member, generation } = client.member;
    const taken = await this.#model.group.commit(this.#body, member, generation, positions);
    if (!taken) throw new NotAMemberError('not a member of the generation');
    this.#membership.proven(client.number);
  }

  /** Waits before something is tried again. */
  pauseForRetry(): Promise<void> {
    return new Promise((resolve) => this.#body.after(RETRY_MS, resolve));
  }

  pause(partitions: TopicPartition[]): void {
    this.#membership.pause(partitions);
  }

  resume(partitions: TopicPartition[]): void {
    this.#membership.resume(partitions);
  }

  seek({ partition, offset }: TopicPartition & { offset: number }): void {
    if (!this.#membership.ledger.has({ topic: INPUT_TOPIC, partition })) return;
    const positions = this.#places();
    positions.set(partition, { offset, seeks: (positions.get(partition)?.seeks ?? 0) + 1 });
  }

  async close(): Promise<void> {
    await this.#membership.close();
    this.#closed = true;
  }

  /** A fault: the client fails and takes the failure for final. */
  crash(): void {
    if (this.#client !== undefined) this.#membership.failed(this.#client.number, new Error('crashed'));
  }

  /** A fault: the client does nothing any more, without an error. */
  hang(): void {
    if (this.#client !== undefined) this.#client.hangs = true;
  }

  async start(number: number): Promise<void> {
    const client: Client = {
      number,
      member: undefined,
      generationBefore: undefined,
      phase: 'joining',
      ended: false,
      hangs: false,
    };
    this.#client = client;
    await this.#model.group.find(this.#body);
    if (client.ended) return;
    this.#join(client);
    this.#heartbeats(client);
  }

  async end(number: number): Promise<void> {
    const client = this.#client;
    if (client?.number !== number) return;
    this.#client = undefined;
    client.ended = true;
    if (client.member !== undefined)
      await settlesWithin(this.#body, LEAVE_MS_MAX, this.#model.group.leave(this.#body, client.member.member));
  }

  // Each fetch reads from the ledger what to fetch.
  hold(): void {}
  fetch(): void {}

  async ask(number: number): Promise<GroupAnswer> {
    const client = this.#client;
    if (client?.number !== number || this.#model.deafToLostSync) throw new Error('not asked');
    const { state, partitions } = await this.#model.group.describe(this.#body, client.member?.member);
    return {
      state,
      assigned: partitions?.map(placeOf),
      joinAnswered: client.member?.generation !== client.generationBefore,
    };
  }

  async #join(client: Client): Promise<void> {
    client.phase = 'revoking';
    try {
      await this.#membership.beforeJoin(client.number, () => this.#stillMember(client));
    } catch {
      // Superseded: another client has taken its place, or the member leaves, and ends it.
      return;
    }
    client.phase = 'joining';
    client.generationBefore = client.member?.generation;
    const { group } = this.#model;
    try {
      for (;;) {
        client.member = await group.join(this.#body, client.member?.member);
        if (client.ended || client.hangs) return;
        const assigned = await this.#sync(client.member);
        if (client.ended || client.hangs) return;
        if (assigned === 'not a member') client.member = undefined;
        if (typeof assigned === 'string') continue;
        this.#membership.joined(client.number, assigned.map(placeOf));
        client.phase = 'member';
        return;
      }
    } catch (error) {
      if (error instanceof LostSync) client.phase = 'member';
      else this.#membership.failed(client.number, error);
    }
  }

  async #sync({ member, generation }: Joined) {
    try {
      return await this.#model.group.sync(this.#body, member, generation);
    } catch (error) {
      throw this.#model.deafToLostSync ? new LostSync() : error;
    }
  }

  async #stillMember({ number, member }: Client): Promise<boolean> {
    if (member === undefined) return false;
    const answer = await this.#model.group
      .heartbeat(this.#body, member.member, member.generation)
      .catch(() => 'away' as const);
    if (answer === 'fine' || answer === 'rebalance') this.#membership.proven(number);
    return answer !== 'not a member';
  }

  #heartbeats(client: Client): void {
    this.#body.after(HEARTBEAT_MS, async () => {
      if (client.ended || client.hangs) return;
      this.#heartbeats(client);
      const { member, phase } = client;
      if (member === undefined || phase === 'joining') return;
      if (phase === 'revoking') {
        await this.#stillMember(client);
        return;
      }
      const answer = await this.#model.group
        .heartbeat(this.#body, member.member, member.generation)
        .catch((error: unknown) => this.#membership.stumbled(client.number, error));
      if (client.ended || client.hangs || client.phase !== 'member' || client.member !== member) return;
      if (answer === 'fine') this.#membership.proven(client.number);
      else if (answer === 'rebalance') this.#join(client);
      else if (answer === 'not a member') {
        client.member = undefined;
        this.#join(client);
      }
    });
  }

  /** The fetch positions of the present assignment. */
  #places(): Map<number, Position> {
    if (this.#positions.of !== this.assignment) this.#positions = { of: this.assignment, by: new Map() };
    return this.#positions.by;
  }

  #fetches(): void {
    if (this.#closed) return;
    this.#fetch().then(
      (records) => this.#body.after(records > 0 ? 0 : IDLE_FETCH_MS, () => this.#fetches()),
      () => this.#body.after(IDLE_FETCH_MS, () => this.#fetches()),
    );
  }

  async #fetch(): Promise<number> {
    const { assignment } = this;
    const client = this.#client;
    if (client === undefined || client.hangs) return 0;
    const { ledger } = this.#membership;
    const wanted = assignment.filter((place) => ledger.isFetched(place)).map(({ partition }) => partition);
    const positions = this.#places();
    const unknown = wanted.filter((partition) => !positions.has(partition));
    if (unknown.length > 0) {
      const committed = await this.#model.group.committed(this.#body, unknown);
      if (assignment !== this.assignment) return 0;
      for (const [partition, offset] of committed)
        if (!positions.has(partition)) positions.set(partition, { offset, seeks: 0 });
    }
    const asked = new Map(wanted.map((partition) => [partition, { ...positions.get(partition) }]));
    if (asked.size === 0) return 0;
    const { log, batchRecordsMax } = this.#model;
    const batches = await log.network.call<ReturnType<ModelLog['read']>[]>(this.#body, ({ resolve }) =>
      resolve([...asked].map(([partition, position]) => log.read(partition, position?.offset ?? 0, batchRecordsMax))),
    );
    if (client.hangs) return 0;
    let records = 0;
    for (const batch of batches) {
      this.#membership.fetched(client.number, batch);
      const position = positions.get(batch.partition);
      const last = batch.records.at(-1);
      const stale = position === undefined || position.seeks !== asked.get(batch.partition)?.seeks;
      if (!this.#membership.takes(client.number, batch) || assignment !== this.assignment) continue;
      if (stale || last === undefined) continue;
      // A batch that was on its way when its partition was paused may still come, or may be fetched again later.
      if (!ledger.isFetched(batch) && this.#body.world.random.chance(0.5)) continue;
      records += batch.records.length;
      this.#listener.onBatch(batch);
      if (positions.get(batch.partition) === position) position.offset = last.offset + 1;
    }
    return records;
  }
}

class LostSync extends Error {}

function placeOf(partition: number): TopicPartition {
  return { topic: INPUT_TOPIC, partition };
}
