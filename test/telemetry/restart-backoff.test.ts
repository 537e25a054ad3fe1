import { expect, test } from 'vitest';
import { RestartBackoff } from '../../telemetry/restart-backoff.ts';

test('a process that ends again and again waits longer each time, and not after it has lived long', () => {
  const backoff = new RestartBackoff();
  expect(backoff.isFirst).toBe(true);
  expect([0, 10, 30_000, 0, 0, 0].map((livedMs) => backoff.next(livedMs))).toEqual([
    250, 500, 1_000, 2_000, 4_000, 5_000,
  ]);
  expect(backoff.next(30_001)).toBe(250);
  expect(backoff.next(0)).toBe(500);
  expect(backoff.isFirst).toBe(false);
});
