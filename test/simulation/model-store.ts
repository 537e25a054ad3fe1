import type { MessageEntry } from '../../runtime/slot/message-entry.ts';
import type { History } from './history.ts';
import { ModelDeadLetters, type ReplayFlaw } from './model-dead-letters.ts';
import { Network } from './network.ts';
import type { Tracked } from './tracked.ts';
import type { Body, World } from './world.ts';

/** A claim waits this long for transactions of the previous epoch, like the real store. */
const FENCE_PATIENCE_MS = 2_000;
/** A server notices within this time that a client is gone. */
const CONNECTION_LOST_MS_MAX = 500;

function connectionError(): Error {
  return Object.assign(new Error('the modelled database is away'), { code: 'ECONNREFUSED' });
}

/** One transaction at the server, with the epochs that it holds. Its effects become visible at its commit, all or none. */
export interface ModelSession {
  readonly held: Map<number, number>;
  readonly effects: Tracked[];
  ended: boolean;
  forgetBody: () => void;
}

/**
 * The database: epochs, dead letters and effects, by the rules of the real store's SQL. Effects have no unique key here, so only the fence
 * stands between two owners and an effect that happens twice.
 */
export class ModelStore {
  readonly network: Network;
  readonly deadLetters: ModelDeadLetters;
  /** Share of the statements that conflict with another transaction. */
  conflicts = 0;
  readonly #fencing: boolean;
  readonly #world: World;
  readonly #history: History;
  readonly #epochs = new Map<number, number>();
  readonly #sessions = new Set<ModelSession>();
  #claims: (() => boolean)[] = [];

  /** @param fencing false lets transactions of any epoch pass, for a mutant */
  constructor(world: World, history: History, fencing: boolean, flaw?: ReplayFlaw) {
    this.#fencing = fencing;
    this.#world = world;
    this.#history = history;
    this.network = new Network(world, connectionError);
    const isCurrent = (partition: number, epoch: number) => epoch === this.#epoch(partition);
    const fence = { isCurrent, holds: fencing ? isCurrent : () => true };
    this.deadLetters = new ModelDeadLetters(world, history, this.network, fence, flaw);
  }

  /** Whether the message's thread has the newest epoch of its partition; always true without a database. */
  isCurrent({ partition, mailbox: { epoch } }: MessageEntry): boolean {
    return epoch === undefined || epoch === this.#epoch(partition);
  }

  /** The next epoch of each partition, when no transaction holds the previous one. */
  claim(body: Body, partitions: readonly number[]): Promise<Map<number, number>> {
    return this.network.call(body, (answer) => {
      const attempt = () => {
        if ([...this.#sessions].some(({ held }) => partitions.some((partition) => held.has(partition)))) return false;
        for (const partition of partitions) this.#epochs.set(partition, this.#epoch(partition) + 1);
        const epochs = new Map(partitions.map((partition) => [partition, this.#epoch(partition)]));
        this.#world.log(
          'store',
          `epochs ${[...epochs].map(([p, epoch]) => `${p}:${epoch}`).join(' ')} for ${body.name}`,
        );
        answer.resolve(epochs);
        return true;
      };
      if (attempt()) return;
      this.#claims.push(attempt);
      this.#world.schedule(FENCE_PATIENCE_MS, () => this.#endBlocking(partitions));
    });
  }

  /** Begins a transaction that holds the epochs that are current. */
  begin(body: Body, epochs: ReadonlyMap<number, number>): Promise<{ session: ModelSession; fenced: Set<number> }> {
    const fenced = new Set<number>();
    const session: ModelSession = { held: new Map(), effects: [], ended: false, forgetBody: () => {} };
    const begun = this.network.call<{ session: ModelSession; fenced: Set<number> }>(body, (answer) => {
      if (this.#fencing) {
        for (const [partition, epoch] of epochs) {
          if (epoch === this.#epoch(partition)) session.held.set(partition, epoch);
          else fenced.add(partition);
        }
      }
      this.#sessions.add(session);
      session.forgetBody = body.onDeath(() => {
        this.#world.schedule(this.#world.random.next() * CONNECTION_LOST_MS_MAX, () => this.#end(session));
      });
      answer.resolve({ session, fenced });
    });
    return this.#endedWithCall(session, begun);
  }

  /** A statement of an open transaction. */
  statement<T>(body: Body, session: ModelSession, execute: () => T): Promise<T> {
    const call = this.network.call<T>(body, (answer) => {
      if (session.ended) answer.reject(Object.assign(new Error('session ended'), { code: '57P01' }));
      else if (this.#world.random.chance(this.conflicts))
        answer.reject(Object.assign(new Error('deadlock'), { code: '40P01' }));
      else {
        try {
          answer.resolve(execute());
        } catch (error) {
          answer.reject(error as Error);
        }
      }
    });
    return this.#endedWithCall(session, call);
  }

  /** If a connection fails, its transaction is rolled back. */
  async #endedWithCall<T>(session: ModelSession, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      this.rollback(session);
      throw error;
    }
  }

  /** The effects become durable, at one instant. */
  commit(
    body: Body,
    session: ModelSession,
    epochs: ReadonlyMap<number, number>,
    replayed: readonly MessageEntry[],
  ): Promise<void> {
    return this.statement(body, session, () => {
      // The real store locks the keys against operators until here. In the model the faster one wins.
      if (!replayed.every((entry) => this.deadLetters.mayApply(entry)))
        throw Object.assign(new Error('an operator was faster'), { code: '40001' });
      for (const entry of replayed) this.deadLetters.markApplied(entry);
      for (const tracked of session.effects) {
        const { partition, id } = tracked.order;
        this.#world.log('store', `effect ${id} by ${body.name}`);
        this.#history.effect(tracked, epochs.get(partition) === this.#epoch(partition));
      }
      this.#end(session);
    });
  }

  /** The client has finished with the transaction, whatever happened to the message. */
  rollback(session: ModelSession): void {
    this.#world.schedule(1, () => this.#end(session));
  }

  #end(session: ModelSession): void {
    if (session.ended) return;
    session.ended = true;
    session.forgetBody();
    this.#sessions.delete(session);
    this.#claims = this.#claims.filter((attempt) => !attempt());
  }

  #endBlocking(partitions: readonly number[]): void {
    for (const session of [...this.#sessions])
      if (partitions.some((partition) => session.held.has(partition))) this.#end(session);
  }

  #epoch(partition: number): number {
    return this.#epochs.get(partition) ?? 0;
  }
}
