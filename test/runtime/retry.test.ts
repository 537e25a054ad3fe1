import { expect, test } from 'vitest';
import { retryDecision } from '../../runtime/retry.ts';

const policy = { retriesMax: 3, backoffMs: 100 };

test('three retries, each wait twice the one before, then parked', () => {
  expect([1, 2, 3, 4].map((attempts) => retryDecision(attempts, policy))).toEqual([
    { kind: 'retry', delayMs: 100 },
    { kind: 'retry', delayMs: 200 },
    { kind: 'retry', delayMs: 400 },
    { kind: 'park' },
  ]);
});
