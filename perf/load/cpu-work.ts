/**
 * Work that needs a core and nothing else, not even memory: `steps` of Marsaglia's xorshift generator. The count of steps decides how much
 * it is, never a clock, so that a thread that has to share its core has as much to do as one that has not.
 */
export function compute(seed: number, steps: number): number {
  let state = seed | 1;
  for (let step = 0; step < steps; step++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  return state >>> 0;
}

/** How many steps take `targetMs` of this machine while it has nothing else to do. */
export function stepsFor(targetMs: number): number {
  const TRIAL_STEPS = 100_000;
  const TRIALS = 500;
  const times = Array.from({ length: TRIALS }, (_, trial) => {
    const startedAt = performance.now();
    compute(trial, TRIAL_STEPS);
    return performance.now() - startedAt;
  });
  // The median leaves out the first trials, which are not compiled yet, and those that were interrupted.
  const median = times.sort((a, b) => a - b)[TRIALS >> 1] as number;
  return Math.max(1, Math.round((TRIAL_STEPS * targetMs) / median));
}
