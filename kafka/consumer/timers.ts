import { type Clock, systemClock } from '../../contracts/clock.ts';

/** Time for the room: a simulation brings its own. */
export interface Timers extends Clock {
  /** Runs `act` after `delayMs`; the result cancels it. */
  after(delayMs: number, act: () => void): () => void;
}

export const systemTimers: Timers = {
  ...systemClock,
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
};

/** @returns whether `work` has settled within `limitMs`. Its outcome is dropped: a caller that needs the outcome reads it from `work`. */
export async function settlesWithin(timers: Timers, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const cancel = timers.after(limitMs, () => resolve(false));
  const settled = work.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([settled, late]);
  cancel();
  return inTime;
}
