import { setTimeout as sleep } from 'node:timers/promises';
import type { Timers } from './timers.ts';

/**
 * Waits for `work`, at most `limitMs`. At the deadline `late` makes the error; it may also give up what `work` waits for. The work itself is
 * not cancelled, and its later outcome is dropped.
 * @throws what `work` rejects with; the error of `late` when `work` has not settled in time
 */
export async function withDeadline<T>(
  timers: Timers,
  limitMs: number,
  work: Promise<T>,
  late: () => Error,
): Promise<T> {
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const cancel = timers.after(limitMs, () => reject(late()));
  try {
    return await Promise.race([work, deadline]);
  } finally {
    cancel();
  }
}

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

/** Waits for `delayMs`, or until `signal` is aborted: a loop that tries again until it is closed then looks at the signal. Never rejects. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  // With these arguments only an abort rejects, and it ends the wait as the time does.
  await sleep(delayMs, undefined, { signal }).catch(() => {});
}
