import { expect, test } from 'vitest';
import { exponentialDelayMs, retryDecision } from '../../runtime/retry.ts';

const policy = { retriesMax: 3, backoffMs: 100 };

test('three retries, each wait twice the one before, then parked', () => {
  expect([1, 2, 3, 4].map((attempts) => retryDecision(attempts, policy))).toEqual([
    { kind: 'retry', delayMs: 100 },
    { kind: 'retry', delayMs: 200 },
    { kind: 'retry', delayMs: 400 },
    { kind: 'park' },
  ]);
});

test('a delay is capped, however often it doubled', () => {
  expect(exponentialDelayMs(1, 100, 5_000)).toBe(100);
  expect(exponentialDelayMs(7, 100, 5_000)).toBe(5_000);
  expect(exponentialDelayMs(100_000, 100, 5_000)).toBe(5_000);
});
