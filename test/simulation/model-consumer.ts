import type { ConsumerListener, GroupConsumer, TopicPartition } from '../../kafka/consumer.ts';
import { NotAMemberError } from '../../kafka/errors.ts';
import type { Joined, ModelGroup } from './model-group.ts';
import { INPUT_TOPIC, type ModelLog } from './model-log.ts';
import type { Body } from './world.ts';

const HEARTBEAT_MS = 500;
const IDLE_FETCH_MS = 100;
const REVOCATION_MS_MAX = 30_000;
const REJOIN_MS = 250;

interface Position {
  offset: number;
  /** Counts seeks: what was fetched before one is stale. */
  seeks: number;
}

export interface ConsumerModel {
  group: ModelGroup;
  log: ModelLog;
  batchRecordsMax: number;
}

/**
 * A member of the group, as `kafka/consumer.ts` says that one behaves: eager, with revocations while it still counts, losses when it does
 * not, and batches that are handed over without waiting for their work.
 */
export class ModelConsumer implements GroupConsumer {
  assignment: readonly TopicPartition[] = [];
  readonly #body: Body;
  readonly #model: ConsumerModel;
  readonly #listener: ConsumerListener;
  readonly #paused = new Set<number>();
  #positions = new Map<number, Position>();
  #ready = false;
  #member: Joined | undefined;
  #state: 'joining' | 'member' | 'revoking' = 'joining';
  /** Counts fresh starts of the client: what an older one was about to do is not done. */
  #life = 0;
  #revocation: { of: readonly TopicPartition[]; done: Promise<void> } | undefined;
  #closing = false;

  constructor(body: Body, model: ConsumerModel, listener: ConsumerListener) {
    this.#body = body;
    this.#model = model;
    this.#listener = listener;
  }

  start(): void {
    this.#join(undefined);
    this.#heartbeats();
    this.#fetches();
  }

  async commit(positions: (TopicPartition & { offset: number })[]): Promise<void> {
    for (const { partition } of positions)
      if (!this.#isAssigned(partition)) throw new NotAMemberError(`${partition} is not assigned to this member`);
    await this.commitUnchecked(new Map(positions.map(({ partition, offset }) => [partition, offset])));
  }

  /** What a client can do that does not look at its assignment. */
  async commitUnchecked(positions: ReadonlyMap<number, number>): Promise<void> {
    const member = this.#member;
    if (member === undefined) throw new NotAMemberError('no assignment');
    const taken = await this.#model.group.commit(this.#body, member.member, member.generation, positions);
    if (!taken) throw new NotAMemberError('not a member of the generation');
  }

  /** Waits before something is tried again. */
  pauseForRetry(): Promise<void> {
    return new Promise((resolve) => this.#body.after(REJOIN_MS, resolve));
  }

  pause(partitions: TopicPartition[]): void {
    for (const { partition } of partitions) this.#paused.add(partition);
  }

  resume(partitions: TopicPartition[]): void {
    for (const { partition } of partitions) this.#paused.delete(partition);
  }

  seek({ partition, offset }: TopicPartition & { offset: number }): void {
    if (!this.#isAssigned(partition)) return;
    this.#positions.set(partition, { offset, seeks: (this.#positions.get(partition)?.seeks ?? 0) + 1 });
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.assignment.length > 0) await this.#revoke();
    this.#life++;
    if (this.#member !== undefined) await this.#model.group.leave(this.#body, this.#member.member).catch(() => {});
  }

  /** A fault: the client fails in a way that it takes for final, and is started again. */
  crash(): void {
    if (!this.#closing) this.#startAfresh();
  }

  async #join(known: string | undefined): Promise<void> {
    const life = this.#life;
    this.#state = 'joining';
    let joined: Joined;
    try {
      joined = await this.#model.group.join(this.#body, known);
    } catch {
      this.#body.after(REJOIN_MS, () => {
        if (life === this.#life) this.#join(known);
      });
      return;
    }
    if (life !== this.#life || this.#closing) return;
    this.#member = joined;
    this.#state = 'member';
    const assigned = joined.partitions.map((partition) => ({ topic: INPUT_TOPIC, partition }));
    this.#assign(assigned);
    if (assigned.length === 0) return;
    this.#listener.onAssigned([...assigned]).then(
      () => {
        if (this.assignment === assigned) this.#ready = true;
      },
      () => {
        if (this.assignment === assigned) this.crash();
      },
    );
  }

  #heartbeats(): void {
    this.#body.after(HEARTBEAT_MS, async () => {
      if (this.#closing) return;
      this.#heartbeats();
      const member = this.#member;
      if (member === undefined || this.#state === 'joining') return;
      const answer = await this.#model.group
        .heartbeat(this.#body, member.member, member.generation)
        .catch(() => undefined);
      if (this.#state !== 'member' || this.#member !== member || this.#closing) return;
      if (answer === 'rebalance') this.#rejoin(member);
      else if (answer === 'not a member') this.#startAfresh();
    });
  }

  async #rejoin(member: Joined): Promise<void> {
    const life = this.#life;
    this.#state = 'revoking';
    if (this.assignment.length > 0) {
      const late = new Promise<'late'>((resolve) => this.#body.after(REVOCATION_MS_MAX, () => resolve('late')));
      if ((await Promise.race([this.#revoke(), late])) === 'late') this.#lose();
    }
    if (life === this.#life && !this.#closing) this.#join(member.member);
  }

  #startAfresh(): void {
    const life = ++this.#life;
    this.#member = undefined;
    this.#state = 'joining';
    this.#lose();
    this.#body.after(REJOIN_MS, () => {
      if (life === this.#life && !this.#closing) this.#join(undefined);
    });
  }

  /** Once for each assignment: a close may come into the revocation of a rebalance, and a rebalance into one of an assignment that is lost by now. */
  #revoke(): Promise<void> {
    const { assignment } = this;
    if (this.#revocation?.of !== assignment) this.#revocation = { of: assignment, done: this.#revokeOnce(assignment) };
    return this.#revocation.done;
  }

  async #revokeOnce(revoked: readonly TopicPartition[]): Promise<void> {
    try {
      await this.#listener.onRevoked([...revoked]);
    } finally {
      if (this.assignment === revoked) this.#assign([]);
    }
  }

  #lose(): void {
    const lost = this.assignment;
    this.#assign([]);
    if (lost.length > 0) this.#listener.onLost([...lost]);
  }

  #assign(partitions: readonly TopicPartition[]): void {
    this.assignment = partitions;
    this.#ready = false;
    this.#paused.clear();
    this.#positions = new Map();
  }

  #isAssigned(partition: number): boolean {
    return this.assignment.some((assigned) => assigned.partition === partition);
  }

  #fetches(): void {
    if (this.#closing && this.assignment.length === 0) return;
    this.#fetch().then(
      (records) => this.#body.after(records > 0 ? 0 : IDLE_FETCH_MS, () => this.#fetches()),
      () => this.#body.after(IDLE_FETCH_MS, () => this.#fetches()),
    );
  }

  async #fetch(): Promise<number> {
    const { assignment } = this;
    if (!this.#ready) return 0;
    const wanted = assignment.map(({ partition }) => partition).filter((partition) => !this.#paused.has(partition));
    const unknown = wanted.filter((partition) => !this.#positions.has(partition));
    if (unknown.length > 0) {
      const committed = await this.#model.group.committed(this.#body, unknown);
      if (assignment !== this.assignment) return 0;
      for (const [partition, offset] of committed)
        if (!this.#positions.has(partition)) this.#positions.set(partition, { offset, seeks: 0 });
    }
    const asked = new Map(wanted.map((partition) => [partition, this.#positions.get(partition)]));
    if (asked.size === 0) return 0;
    const { log, batchRecordsMax } = this.#model;
    const batches = await log.network.call<ReturnType<ModelLog['read']>[]>(this.#body, ({ resolve }) =>
      resolve([...asked].map(([partition, position]) => log.read(partition, position?.offset ?? 0, batchRecordsMax))),
    );
    let records = 0;
    for (const batch of batches) {
      const position = this.#positions.get(batch.partition);
      const last = batch.records.at(-1);
      const stale = position === undefined || position.seeks !== asked.get(batch.partition)?.seeks;
      if (assignment !== this.assignment || !this.#ready || stale || last === undefined) continue;
      // A batch on its way when its partition was paused may still come, or be fetched again later.
      if (this.#paused.has(batch.partition) && this.#body.world.random.chance(0.5)) continue;
      records += batch.records.length;
      this.#listener.onBatch(batch);
      if (this.#positions.get(batch.partition) === position) position.offset = last.offset + 1;
    }
    return records;
  }
}
