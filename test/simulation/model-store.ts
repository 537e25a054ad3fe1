import type { MessageEntry } from '../../runtime/slot/message-entry.ts';
import type { History } from './history.ts';
import { ModelDeadLetters, type ReplayFlaw } from './model-dead-letters.ts';
import { Network } from './network.ts';
import type { Tracked } from './tracked.ts';
import type { Body, World } from './world.ts';

/** So long a claim waits for transactions of the epoch before, as the real store does. */
const FENCE_PATIENCE_MS = 2_000;
/** A server finds out within so long that a client is gone. */
const CONNECTION_LOST_MS_MAX = 500;

function connectionError(): Error {
  return Object.assign(new Error('the modelled database is away'), { code: 'ECONNREFUSED' });
}

/** One transaction at the server, with the epochs it holds. Its effects become visible at its commit, all or none. */
export interface ModelSession {
  readonly held: Map<number, number>;
  readonly effects: Tracked[];
  ended: boolean;
  forgetBody: () => void;
}

/**
 * The database: epochs, dead letters and the effects, under the rules that the real store's SQL keeps. Effects have no unique key here, so only
 * the fence stands between two owners and an effect that happens twice.
 */
export class ModelStore {
  readonly network: Network;
  readonly deadLetters: ModelDeadLetters;
  /** Share of the statements that meet another transaction. */
  conflicts = 0;
  readonly #fencing: boolean;
  readonly #world: World;
  readonly #history: History;
  readonly #epochs = new Map<number, number>();
  readonly #sessions = new Set<ModelSession>();
  #claims: (() => boolean)[] = [];

  /** @param fencing false lets transactions of any epoch pass: a mutant. */
  constructor(world: World, history: History, fencing: boolean, flaw?: ReplayFlaw) {
    this.#fencing = fencing;
    this.#world = world;
    this.#history = history;
    this.network = new Network(world, connectionError);
    const isCurrent = (partition: number, epoch: number) => epoch === this.#epoch(partition);
    const fence = { isCurrent, holds: fencing ? isCurrent : () => true };
    this.deadLetters = new ModelDeadLetters(world, history, this.network, fence, flaw);
  }

  /** Whether the message's thread has the newest epoch of its partition; always without a database. */
  isCurrent({ partition, mailbox: { epoch } }: MessageEntry): boolean {
    return epoch === undefined || epoch === this.#epoch(partition);
  }

  /** The next epoch of each partition, once no transaction holds the one before. */
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

  /** Begins a transaction that holds the epochs which are current. */
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

  /** A connection that fails takes its transaction with it. */
  async #endedWithCall<T>(session: ModelSession, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      this.rollback(session);
      throw error;
    }
  }

  /** The effects become durable, in one moment. */
  commit(
    body: Body,
    session: ModelSession,
    epochs: ReadonlyMap<number, number>,
    replayed: readonly MessageEntry[],
  ): Promise<void> {
    return this.statement(body, session, () => {
      // The real store holds the keys against operators until here; in the model the faster one wins.
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

  /** The client is done with it, whatever becomes of the message. */
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
