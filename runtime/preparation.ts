import type { Actor } from './actor.ts';
import type { EnginePorts } from './engine-ports.ts';
import type { MessageEntry } from './message-entry.ts';
import { faultOf } from './outage.ts';
import type { SlotOutages } from './slot-outages.ts';

/** What becomes of a message whose preparation has ended. */
export interface PreparationHooks {
  prepared(entry: MessageEntry): void;
  failed(entry: MessageEntry, error: unknown): void;
  /** What it needs is down: it is to be tried again after so long. */
  postponed(entry: MessageEntry, waitMs: number): void;
  /** There is room for another. */
  wake(): void;
}

/** The messages of one slot whose `prepare` is under way, a bounded number, behind a circuit breaker. */
export class Preparation {
  readonly #prepare: NonNullable<Actor<unknown, unknown>['prepare']> | undefined;
  readonly #most: number;
  readonly #ports: Pick<EnginePorts, 'timers'>;
  readonly #outages: SlotOutages;
  readonly #hooks: PreparationHooks;
  #underWay = 0;

  constructor(
    actor: Actor<unknown, unknown>,
    most: number,
    ports: Pick<EnginePorts, 'timers'>,
    outages: SlotOutages,
    hooks: PreparationHooks,
  ) {
    this.#prepare = actor.prepare?.bind(actor);
    this.#most = most;
    this.#ports = ports;
    this.#outages = outages;
    this.#hooks = hooks;
  }

  /** Whether the actor has such a step. */
  get exists(): boolean {
    return this.#prepare !== undefined;
  }

  /** Whether another message may begin; always for an actor without this step. */
  mayBegin(): boolean {
    if (this.#prepare === undefined) return true;
    return this.#underWay < this.#most && this.#outages.circuits.prepare.passable(this.#ports.timers.now());
  }

  begin(entry: MessageEntry): void {
    const circuit = this.#outages.circuits.prepare;
    circuit.tryPass(this.#ports.timers.now());
    this.#underWay++;
    // Through a promise, so that a `prepare` that throws before it returns one is a failure like any other.
    Promise.resolve()
      .then(() => this.#prepare?.(entry.input, entry))
      .then(
        (prepared) => {
          this.#underWay--;
          this.#outages.recovered('prepare');
          entry.prepared = prepared;
          this.#hooks.prepared(entry);
          this.#hooks.wake();
        },
        (error) => {
          this.#underWay--;
          if (faultOf(error) === 'message') {
            circuit.release();
            this.#hooks.failed(entry, error);
          } else this.#hooks.postponed(entry, this.#outages.failed('prepare', error));
          this.#hooks.wake();
        },
      );
  }
}
