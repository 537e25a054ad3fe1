import type { History } from './history.ts';
import type { Answer, Network } from './network.ts';
import type { Body, World } from './world.ts';

export const SESSION_TIMEOUT_MS = 6_000;
const REBALANCE_TIMEOUT_MS = 30_000;

export interface Joined {
  member: string;
  generation: number;
  partitions: number[];
}

interface Member {
  id: string;
  heardAt: number;
  /** Set while it waits for the rebalance to complete. */
  joined: Answer<Joined> | undefined;
  partitions: number[];
}

export type HeartbeatAnswer = 'fine' | 'rebalance' | 'not a member';

/** The group's coordinator, with eager rebalances: all give up everything, join again, and a new generation begins. */
export class ModelGroup {
  readonly #world: World;
  readonly #network: Network;
  readonly #history: History;
  readonly #partitions: number;
  readonly #members = new Map<string, Member>();
  readonly #committed = new Map<number, number>();
  #generation = 0;
  #rebalancing = false;
  #joins = 0;
  #commits = 0;
  #newestCommit = 0;

  constructor(world: World, network: Network, history: History, partitions: number) {
    this.#world = world;
    this.#network = network;
    this.#history = history;
    this.#partitions = partitions;
  }

  /** Answered when the rebalance is complete. `known` is the member id of before, if there is one: who is out comes back under another. */
  join(body: Body, known: string | undefined): Promise<Joined> {
    return this.#network.call<Joined>(body, (answer) => {
      const id = known !== undefined && this.#members.has(known) ? known : `m${++this.#joins}-${body.name}`;
      let member = this.#members.get(id);
      if (member === undefined) {
        member = { id, heardAt: this.#world.now, joined: answer, partitions: [] };
        this.#members.set(id, member);
        this.#watch(member);
      }
      member.heardAt = this.#world.now;
      member.joined = answer;
      this.#rebalance();
      this.#completeWhenJoined();
    });
  }

  heartbeat(body: Body, id: string, generation: number): Promise<HeartbeatAnswer> {
    return this.#network.call(body, ({ resolve }) => {
      const member = this.#current(id, generation);
      if (member !== undefined) member.heardAt = this.#world.now;
      resolve(member === undefined ? 'not a member' : this.#rebalancing ? 'rebalance' : 'fine');
    });
  }

  /** As Kafka's: any partition is taken from a member of the current generation, also one that the client gave up and that comes after a newer one. @returns whether it was taken. */
  commit(body: Body, id: string, generation: number, positions: ReadonlyMap<number, number>): Promise<boolean> {
    const number = ++this.#commits;
    const serve = ({ resolve }: Answer<boolean>) => {
      const member = this.#current(id, generation);
      if (member === undefined) {
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
    return this.#network.call(body, serve, { mayArriveLate: true });
  }

  committed(body: Body, partitions: readonly number[]): Promise<Map<number, number>> {
    return this.#network.call(body, ({ resolve }) =>
      resolve(new Map(partitions.map((partition) => [partition, this.#committed.get(partition) ?? 0]))),
    );
  }

  leave(body: Body, id: string): Promise<void> {
    return this.#network.call(body, ({ resolve }) => {
      this.#remove(id, 'left');
      resolve();
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

  #current(id: string, generation: number): Member | undefined {
    return generation === this.#generation ? this.#members.get(id) : undefined;
  }

  #rebalance(): void {
    if (this.#rebalancing) return;
    this.#rebalancing = true;
    this.#world.log('group', `rebalance of ${[...this.#members.keys()].join(' ')}`);
    const generation = this.#generation;
    this.#world.schedule(REBALANCE_TIMEOUT_MS, () => {
      if (!this.#rebalancing || generation !== this.#generation) return;
      for (const { id, joined } of [...this.#members.values()]) if (joined === undefined) this.#members.delete(id);
      this.#completeWhenJoined();
    });
  }

  #completeWhenJoined(): void {
    if (!this.#rebalancing) return;
    const members = [...this.#members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    if (members.some(({ joined }) => joined === undefined)) return;
    this.#rebalancing = false;
    this.#generation++;
    for (const [index, member] of members.entries()) {
      member.partitions = [];
      for (let partition = index; partition < this.#partitions; partition += members.length)
        member.partitions.push(partition);
    }
    for (const member of members) {
      const { joined, id, partitions } = member;
      member.joined = undefined;
      member.heardAt = this.#world.now;
      this.#world.log('group', `generation ${this.#generation}: ${id} has ${partitions.join(' ')}`);
      joined?.resolve({ member: id, generation: this.#generation, partitions: [...partitions] });
    }
  }

  #watch(member: Member): void {
    const silentMs = member.joined === undefined ? this.#world.now - member.heardAt : 0;
    // A moment more than the rest of the session, which a rounded sum might miss.
    this.#world.schedule(SESSION_TIMEOUT_MS - silentMs + 1, () => {
      if (this.#members.get(member.id) !== member) return;
      if (member.joined === undefined && this.#world.now - member.heardAt >= SESSION_TIMEOUT_MS)
        this.#remove(member.id, 'silent for too long');
      else this.#watch(member);
    });
  }

  #remove(id: string, why: string): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.delete(id);
    member.joined?.reject(new Error('unknown member'));
    this.#world.log('group', `${id} is out: ${why}`);
    this.#rebalance();
    this.#completeWhenJoined();
  }
}
