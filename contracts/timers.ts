import { type Clock, systemClock } from './clock.ts';

/** Timers and a clock, passed in as an argument. A simulation brings its own. */
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
