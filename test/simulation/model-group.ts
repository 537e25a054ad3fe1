import type { GroupAnswer } from '../../kafka/consumer/membership.ts';
import type { History } from './history.ts';
import type { Answer, CallOptions, Network } from './network.ts';
import type { Body, World } from './world.ts';

export const SESSION_TIMEOUT_MS = 6_000;
const REBALANCE_TIMEOUT_MS = 30_000;
/** How long a client waits for an answer that does not come. */
const REQUEST_TIMEOUT_MS = 5_000;
const JOIN_TIMEOUT_MS = REBALANCE_TIMEOUT_MS + REQUEST_TIMEOUT_MS;

export const groupRequests = ['find', 'join', 'sync', 'heartbeat', 'commit', 'committed', 'leave', 'describe'] as const;
export type GroupRequest = (typeof groupRequests)[number];
/** As in test/support/kafka-proxy.ts. */
export type Loss = 'connection closed' | 'never answered';

/** The answer to a JoinGroup: a member of a generation, without its partitions yet. */
export interface Joined {
  member: string;
  generation: number;
}

export type SyncAnswer = number[] | 'rebalance' | 'not a member';
export type HeartbeatAnswer = 'fine' | 'rebalance' | 'not a member';

interface Member {
  id: string;
  heardAt: number;
  /** Set while it waits for the rebalance to complete. */
  joined: Answer<Joined> | undefined;
  /** Set while it waits for the leader's assignment. */
  synced: Answer<SyncAnswer> | undefined;
  partitions: number[];
}

/**
 * The group's coordinator, with eager rebalances: all members give up everything and join again. When all have joined, a new generation
 * begins, and when its leader has sent the assignment, each member gets its partitions.
 */
export class ModelGroup {
  readonly #world: World;
  readonly #network: Network;
  readonly #history: History;
  readonly #partitions: number;
  readonly #members = new Map<string, Member>();
  readonly #committed = new Map<number, number>();
  readonly #losses = new Map<GroupRequest, Loss>();
  #generation = 0;
  #state: 'Stable' | 'PreparingRebalance' | 'CompletingRebalance' = 'Stable';
  #joins = 0;
  #commits = 0;
  #newestCommit = 0;

  constructor(world: World, network: Network, history: History, partitions: number) {
    this.#world = world;
    this.#network = network;
    this.#history = history;
    this.#partitions = partitions;
  }

  /** FindCoordinator: a new client's first request. */
  find(body: Body): Promise<void> {
    return this.#call('find', body, ({ resolve }) => resolve());
  }

  /** Answered when all have joined. `known` is the previous member id, if any: a member that was removed comes back under another id. */
  join(body: Body, known: string | undefined): Promise<Joined> {
    return this.#call<Joined>('join', body, (answer) => {
      const id = known !== undefined && this.#members.has(known) ? known : `m${++this.#joins}-${body.name}`;
      let member = this.#members.get(id);
      if (member === undefined) {
        member = { id, heardAt: this.#world.now, joined: answer, synced: undefined, partitions: [] };
        this.#members.set(id, member);
        this.#watch(member);
      }
      member.heardAt = this.#world.now;
      member.joined = answer;
      this.#rebalance();
      this.#completeWhenJoined();
    });
  }

  sync(body: Body, id: string, generation: number): Promise<SyncAnswer> {
    return this.#call<SyncAnswer>('sync', body, (answer) => {
      const member = this.#current(id, generation);
      if (member === undefined) answer.resolve('not a member');
      else if (this.#state === 'PreparingRebalance') answer.resolve('rebalance');
      else {
        member.heardAt = this.#world.now;
        member.synced = answer;
        if (this.#state === 'CompletingRebalance' && member === this.#sorted()[0]) this.#assign();
        if (this.#state === 'Stable') this.#tellPartitions();
      }
    });
  }

  heartbeat(body: Body, id: string, generation: number): Promise<HeartbeatAnswer> {
    return this.#call('heartbeat', body, ({ resolve }) => {
      const member = this.#current(id, generation);
      if (member !== undefined) member.heardAt = this.#world.now;
      resolve(member === undefined ? 'not a member' : this.#state === 'PreparingRebalance' ? 'rebalance' : 'fine');
    });
  }

  /**
   * Like Kafka: accepts any partition from a member of the current generation, also a request that its client has given up and that arrives
   * after a newer one.
   * @returns whether it was accepted
   */
  commit(body: Body, id: string, generation: number, positions: ReadonlyMap<number, number>): Promise<boolean> {
    const number = ++this.#commits;
    const serve = ({ resolve }: Answer<boolean>) => {
      const member = this.#current(id, generation);
      if (member === undefined || this.#state === 'CompletingRebalance') {
        resolve(false);
        return;
      }
      member.heardAt = this.#world.now;
      const overtaken = number < this.#newestCommit;
      this.#newestCommit = Math.max(number, this.#newestCommit);
      for (const [partition, offset] of positions) {
        this.#world.log('group', `commit ${partition}@${offset} by ${id}`);
        this.#history.committed(partition, offset, {
          by: id,
          assigned: member.partitions.includes(partition),
          overtaken,
        });
        this.#committed.set(partition, offset);
      }
      resolve(true);
    };
    return this.#call('commit', body, serve, { mayArriveLate: true });
  }

  committed(body: Body, partitions: readonly number[]): Promise<Map<number, number>> {
    return this.#call('committed', body, ({ resolve }) =>
      resolve(new Map(partitions.map((partition) => [partition, this.#committed.get(partition) ?? 0]))),
    );
  }

  leave(body: Body, id: string): Promise<void> {
    return this.#call('leave', body, ({ resolve }) => {
      this.#remove(id, 'left');
      resolve();
    });
  }

  describe(
    body: Body,
    id: string | undefined,
  ): Promise<{ state: GroupAnswer['state']; partitions: number[] | undefined }> {
    return this.#call('describe', body, ({ resolve }) => {
      const member = this.#members.get(id ?? '');
      resolve({
        state: this.#members.size === 0 ? 'Empty' : this.#state,
        partitions: member && [...member.partitions],
      });
    });
  }

  /** A fault: the coordinator forgets one of its members. */
  forgetOne(): void {
    const ids = [...this.#members.keys()];
    if (ids.length > 0) this.#remove(this.#world.random.pick(ids), 'forgotten');
  }

  /** A fault: all join again. */
  shake(): void {
    if (this.#members.size > 0) this.#rebalance();
  }

  /** A fault: the next request of this kind is served, and its answer is lost. */
  loseAnswer(request: GroupRequest, loss: Loss): void {
    this.#losses.set(request, loss);
  }

  #call<T>(
    request: GroupRequest,
    body: Body,
    serve: (answer: Answer<T>) => void,
    options: CallOptions = {},
  ): Promise<T> {
    return this.#network.call<T>(body, (answer) => serve(this.#losing(request, answer)), options);
  }

  #losing<T>(request: GroupRequest, answer: Answer<T>): Answer<T> {
    const loss = this.#losses.get(request);
    if (loss === undefined) return answer;
    this.#losses.delete(request);
    this.#world.log('group', `the answer to ${request} is lost: ${loss}`);
    const lost = new Error(`${request}: ${loss}`);
    const lose = () => answer.reject(lost);
    if (loss === 'connection closed') return { resolve: lose, reject: lose };
    this.#world.schedule(request === 'join' ? JOIN_TIMEOUT_MS : REQUEST_TIMEOUT_MS, lose);
    return { resolve() {}, reject() {} };
  }

  #current(id: string, generation: number): Member | undefined {
    return generation === this.#generation ? this.#members.get(id) : undefined;
  }

  #sorted(): Member[] {
    return [...this.#members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #rebalance(): void {
    if (this.#state === 'PreparingRebalance') return;
    this.#state = 'PreparingRebalance';
    this.#world.log('group', `rebalance of ${[...this.#members.keys()].join(' ')}`);
    for (const member of this.#members.values()) {
      member.synced?.resolve('rebalance');
      member.synced = undefined;
    }
    const generation = this.#generation;
    this.#world.schedule(REBALANCE_TIMEOUT_MS, () => {
      if (this.#state !== 'PreparingRebalance' || generation !== this.#generation) return;
      for (const { id, joined } of [...this.#members.values()]) if (joined === undefined) this.#members.delete(id);
      this.#completeWhenJoined();
    });
  }

  #completeWhenJoined(): void {
    if (this.#state !== 'PreparingRebalance') return;
    const members = this.#sorted();
    if (members.some(({ joined }) => joined === undefined)) return;
    this.#state = 'CompletingRebalance';
    this.#generation++;
    for (const member of members) {
      const { joined, id } = member;
      member.joined = undefined;
      member.partitions = [];
      member.heardAt = this.#world.now;
      joined?.resolve({ member: id, generation: this.#generation });
    }
  }

  /** The leader, which is the first of the members, has sent its assignment. */
  #assign(): void {
    this.#state = 'Stable';
    const members = this.#sorted();
    for (const [index, { id, partitions }] of members.entries()) {
      for (let partition = index; partition < this.#partitions; partition += members.length) partitions.push(partition);
      this.#world.log('group', `generation ${this.#generation}: ${id} has ${partitions.join(' ')}`);
    }
  }

  #tellPartitions(): void {
    for (const member of this.#members.values()) {
      const { synced, partitions } = member;
      member.synced = undefined;
      synced?.resolve([...partitions]);
    }
  }

  #watch(member: Member): void {
    const waits = () => member.joined !== undefined || member.synced !== undefined;
    const silentMs = waits() ? 0 : this.#world.now - member.heardAt;
    // A moment longer than the rest of the session, because a rounded sum might be too short.
    this.#world.schedule(SESSION_TIMEOUT_MS - silentMs + 1, () => {
      if (this.#members.get(member.id) !== member) return;
      if (!waits() && this.#world.now - member.heardAt >= SESSION_TIMEOUT_MS)
        this.#remove(member.id, 'silent for too long');
      else this.#watch(member);
    });
  }

  #remove(id: string, why: string): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.delete(id);
    member.joined?.reject(new Error('unknown member'));
    member.synced?.resolve('not a member');
    this.#world.log('group', `${id} is out: ${why}`);
    this.#rebalance();
    this.#completeWhenJoined();
  }
}
