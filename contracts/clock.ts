/** Where time comes from. Passed in as an argument, so that a test or a simulation can be its own clock. */
export interface Clock {
  /** Milliseconds since the Unix epoch, as `Date.now()`. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
