import { exponentialDelayMs } from '../contracts/backoff.ts';

/** How a failing message is retried: `retriesMax` times, each wait twice the one before. */
export interface RetryPolicy {
  retriesMax: number;
  /** Wait before the first retry. */
  backoffMs: number;
}

export type RetryDecision = { kind: 'retry'; delayMs: number } | { kind: 'park' };

/** What happens after the `attempts`-th failed attempt (1 is the first delivery). Pure: the caller owns the timer. */
export function retryDecision(attempts: number, policy: RetryPolicy): RetryDecision {
  if (attempts > policy.retriesMax) return { kind: 'park' };
  return { kind: 'retry', delayMs: exponentialDelayMs(attempts, policy.backoffMs, Number.MAX_SAFE_INTEGER) };
}
