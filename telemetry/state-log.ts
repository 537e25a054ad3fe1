import { type Clock, systemClock } from '../contracts/clock.ts';
import type { Logger } from './logger.ts';

/** Remembers which states hold and since when, so that each state is logged once when it begins and once when it ends, however often it is reported. */
export class States {
  readonly #clock: Clock;
  readonly #since = new Map<string, number>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** @returns whether the state begins now; false while it holds already. `at` is when it began, where that is known to be earlier. */
  begin(key: string, at: number = this.#clock.now()): boolean {
    if (this.#since.has(key)) return false;
    this.#since.set(key, at);
    return true;
  }

  /** @returns how long the state held, in milliseconds; `undefined` when it did not hold */
  end(key: string): number | undefined {
    const since = this.#since.get(key);
    if (since === undefined) return undefined;
    this.#since.delete(key);
    return Math.max(0, this.#clock.now() - since);
  }

  /** Milliseconds since 1970; `undefined` while the state does not hold. */
  since(key: string): number | undefined {
    return this.#since.get(key);
  }
}

/** Field of the line that ends a state. `ordermesh up` shows such a line although it is no warning. */
export const stateEnded = { state: 'ended' } as const;

/**
 * Log lines about states: one warning when a state begins and one line, with its length, when it ends. The reason may change while the state
 * holds (each attempt fails with another text); `/readyz` has the newest one.
 */
export class StateLog {
  readonly #logger: Logger;
  readonly #states: States;

  constructor(logger: Logger, clock: Clock = systemClock) {
    this.#logger = logger;
    this.#states = new States(clock);
  }

  begin(key: string, message: string, fields: object = {}): void {
    if (this.#states.begin(key)) this.#logger.warn(fields, message);
    else this.#logger.debug(fields, message);
  }

  /** @param message such as "BigQuery takes rows again"; "after 63 s" is added. */
  end(key: string, message: string, fields: object = {}): void {
    const heldMs = this.#states.end(key);
    if (heldMs === undefined) return;
    this.#logger.info({ ...fields, ...stateEnded, heldMs }, `${message} after ${inSeconds(heldMs)}`);
  }

  since(key: string): number | undefined {
    return this.#states.since(key);
  }
}

/** For people: 0.4 s, 63 s. */
export function inSeconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}

/** For people, of the machine's own time zone: 12:03:10. */
export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}
