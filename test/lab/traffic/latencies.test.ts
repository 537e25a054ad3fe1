import { expect, test } from 'vitest';
import { Latencies } from '../../../lab/traffic/latencies.ts';

test('percentiles are right within 0.1 %, from microseconds to minutes', () => {
  const latencies = new Latencies();
  for (let n = 1; n <= 10_000; n++) latencies.record(n / 10);
  for (const [percentile, ms] of [
    [50, 500],
    [99, 990],
    [99.9, 999],
  ] as const)
    expect(Math.abs(latencies.percentileMs(percentile) / ms - 1)).toBeLessThan(0.0011);
  expect(latencies.summary()).toMatchObject({ count: 10_000, maxMs: 1_000 });
  expect(latencies.summary().meanMs).toBeCloseTo(500, 0);
});

test('less than a microsecond and more than the longest are counted', () => {
  const latencies = new Latencies();
  latencies.record(0);
  latencies.record(1e9);
  expect(latencies.summary()).toMatchObject({ count: 2, maxMs: 3_600_000 });
});

test('the distribution rises to the largest value, and an empty one is empty', () => {
  const latencies = new Latencies();
  expect(latencies.distribution()).toEqual([]);
  expect(latencies.summary()).toMatchObject({ count: 0, p99Ms: 0, meanMs: 0 });
  for (let n = 1; n <= 1_000; n++) latencies.record(n);
  const points = latencies.distribution();
  expect(points.map(({ ms }) => ms)).toEqual(points.map(({ ms }) => ms).toSorted((a, b) => a - b));
  expect(points.at(-1)?.percentile).toBe(100);
  expect(Math.abs((points.at(-1)?.ms ?? 0) / 1_000 - 1)).toBeLessThan(0.0011);
  latencies.reset();
  expect(latencies.distribution()).toEqual([]);
});
