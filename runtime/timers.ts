import * as contracts from '../contracts/timers.ts';

/** Time for the runtime; the simulation brings its own. */
export interface Timers extends contracts.Timers {
  /** Runs `act` after the events at hand, so that work gathers. */
  soon(act: () => void): void;
}

export const systemTimers: Timers = {
  ...contracts.systemTimers,
  soon(act) {
    setImmediate(act);
  },
};

/** Resolves after `delayMs`. */
export function delay(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => timers.after(delayMs, resolve));
}
