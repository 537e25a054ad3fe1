/** Where time comes from. Passed in as an argument, so that a test or a simulation can use a clock of its own. */
export interface Clock {
  /** Milliseconds since 1970, as `Date.now()`. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/**
 * A clock that is read once per event-loop tick, for a hot path that asks for the time several times per message. It lags behind by one
 * tick at most.
 */
export function turnClock(clock: Clock = systemClock): Clock {
  let cached: number | undefined;
  const expire = () => {
    cached = undefined;
  };
  return {
    now() {
      if (cached === undefined) {
        cached = clock.now();
        setImmediate(expire);
      }
      return cached;
    },
  };
}

/** For durations on a hot path: `performance.now()`, read once per event-loop tick. Monotonic; unrelated to wall-clock time. */
export const stopwatch = turnClock({ now: () => performance.now() });
