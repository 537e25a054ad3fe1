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

/** Resolves when `work` has settled or `limitMs` are over, whichever comes first. */
export async function within(timers: Timers, limitMs: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const cancel = timers.after(limitMs, resolve);
  // The outcome is dropped here: a caller that needs the outcome reads it from `work`.
  await Promise.race([work.catch(() => {}), late]);
  cancel();
}
