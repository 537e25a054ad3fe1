/** Where time comes from. Passed in as an argument, so that a test or a simulation can be its own clock. */
export interface Clock {
  /** Milliseconds since the Unix epoch, as `Date.now()`. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/**
 * A clock that is read once per turn of the event loop, for a hot path that asks for the time several times per message. It is behind by
 * the length of a turn at most.
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

/** For lengths of time on a hot path: milliseconds of `performance.now()`, read once per turn. Nobody sets it, and it does not say what time it is. */
export const stopwatch = turnClock({ now: () => performance.now() });
