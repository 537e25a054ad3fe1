import { expect, test } from 'vitest';
import { RateLimits, TokenBucket } from '../../gateway/identity/rate-limit.ts';

test('a bucket gives its burst at once, then its rate, and says how long to wait', () => {
  const bucket = new TokenBucket(10, 3, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 0]);
  expect(bucket.take(0)).toBe(100);
  expect(bucket.take(40)).toBeCloseTo(60);
  expect(bucket.take(100)).toBe(0);
  expect(bucket.take(100)).toBe(100);
});

test('a quiet hour saves up one burst and no more; a clock set back changes nothing', () => {
  const bucket = new TokenBucket(10, 2, 0);
  expect([bucket.take(3_600_000), bucket.take(3_600_000)]).toEqual([0, 0]);
  expect(bucket.take(3_600_000)).toBeGreaterThan(0);
  expect(bucket.take(0)).toBeGreaterThan(0);
});

test('questions have a rate of their own, which tokens of a store share', () => {
  const limits = new RateLimits(1, 0, 1_000, 0, 2);
  const [first, second] = [limits.limitsOf('a', 'x', 0), limits.limitsOf('a', 'y', 0)];
  expect([first.reads?.take(0), second.reads?.take(0), first.reads?.take(0)]).toEqual([0, 0, 500]);
  expect(first.limit?.take(0)).toBe(0);
  expect(limits.limitsOf('b', 'x', 0).reads?.take(0)).toBe(0);
});

test('without rates there is no limit, and a burst is one order at least', () => {
  expect(new RateLimits(0, 0, 10_000, 0).of('a', 'b', 0)).toBeUndefined();
  const limit = new RateLimits(1, 0, 0, 0).of('a', 'b', 0);
  expect([limit?.take(0), limit?.take(0)]).toEqual([0, 1_000]);
});
