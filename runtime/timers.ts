import { type Clock, systemClock } from '../contracts/clock.ts';

/** Time for the runtime: a simulation brings its own. */
export interface Timers extends Clock {
  /** Runs `act` after `delayMs`; the result cancels it. */
  after(delayMs: number, act: () => void): () => void;
  /** Runs `act` once the events at hand are through, so that work gathers. */
  soon(act: () => void): void;
}

export const systemTimers: Timers = {
  ...systemClock,
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
  soon(act) {
    setImmediate(act);
  },
};

/** Resolves after `delayMs`. */
export function delay(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => timers.after(delayMs, resolve));
}
