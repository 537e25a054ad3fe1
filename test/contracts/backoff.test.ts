import { expect, test } from 'vitest';
import { Backoff, exponentialDelayMs } from '../../contracts/backoff.ts';

test('a delay is capped, however often it doubled', () => {
  expect(exponentialDelayMs(1, 100, 5_000)).toBe(100);
  expect(exponentialDelayMs(7, 100, 5_000)).toBe(5_000);
  expect(exponentialDelayMs(100_000, 100, 5_000)).toBe(5_000);
});

test('doubles up to its limit, and starts again after a success', () => {
  const backoff = new Backoff({ firstMs: 250, mostMs: 2_000 });
  expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([250, 500, 1_000, 2_000, 2_000]);
  expect(backoff.attempts).toBe(5);
  backoff.reset();
  expect(backoff.attempts).toBe(0);
  expect(backoff.next()).toBe(250);
});

test('a share of each wait is random', () => {
  const waits = { firstMs: 250, mostMs: 2_000, jitter: 0.5 };
  const low = new Backoff({ ...waits, random: () => 0 });
  expect([1, 2, 3, 4, 5].map(() => low.next())).toEqual([125, 250, 500, 1_000, 1_000]);
  const high = new Backoff({ ...waits, random: () => 1 });
  expect([1, 2, 3, 4, 5].map(() => high.next())).toEqual([250, 500, 1_000, 2_000, 2_000]);
});

test('waits as long as the server asks, up to its limit', () => {
  const waits = { firstMs: 250, mostMs: 2_000, jitter: 0.5, random: () => 0 };
  expect(new Backoff(waits).next(1_000)).toBe(1_000);
  expect(new Backoff(waits).next(3_600_000)).toBe(2_000);
  expect(new Backoff({ ...waits, random: () => 1 }).next(1_000)).toBe(1_125);
});
