import { expect, test } from 'vitest';
import { AdaptiveLimit } from '../../../runtime/slot/prepare/adaptive-limit.ts';

/** Answers that come after `latencyMs` to as many calls as the limit allows, for `forMs`. */
function answer(
  limit: AdaptiveLimit,
  from: number,
  forMs: number,
  latencyMs: (inFlight: number) => number,
  outages = 0,
) {
  let now = from;
  while (now < from + forMs) {
    const inFlight = limit.current;
    const latency = latencyMs(inFlight);
    now += latency;
    limit.began(inFlight);
    for (let call = 0; call < inFlight; call++) limit.ended(now, now - latency, call < inFlight * outages);
  }
  return now;
}

test('a provider that keeps its pace is used up to the maximum', () => {
  const limit = new AdaptiveLimit(1_000);
  answer(limit, 0, 6_000, () => 300);
  expect(limit.current).toBe(1_000);
});

test('a provider that queues above 100 calls gets not many more', () => {
  const limit = new AdaptiveLimit(10_000);
  // 100 calls at a time, 300 ms each: more of them wait.
  const now = answer(limit, 0, 60_000, (inFlight) => 300 * Math.max(1, inFlight / 100));
  expect(limit.current).toBeGreaterThan(100);
  expect(limit.current).toBeLessThan(600);
  answer(limit, now, 2_000, () => 300);
  expect(limit.current).toBeGreaterThan(100);
});

test('outages and "too many requests" lower the limit to its least, answers raise it again', () => {
  const limit = new AdaptiveLimit(1_000);
  let now = answer(limit, 0, 6_000, () => 300);
  now = answer(limit, now, 30_000, () => 300, 0.5);
  expect(limit.current).toBeLessThan(20);
  expect(limit.current).toBeGreaterThanOrEqual(2);
  answer(limit, now, 600_000, () => 300);
  expect(limit.current).toBe(1_000);
});

test('a provider that becomes ten times slower by itself keeps its calls, and one with a queue does not', () => {
  const limit = new AdaptiveLimit(600);
  let now = answer(limit, 0, 6_000, () => 300);
  expect(limit.current).toBe(600);
  now = answer(limit, now, 60_000, () => 3_000);
  expect(limit.current).toBe(600);
  now = answer(limit, now, 60_000, () => 300);
  expect(limit.current).toBe(600);
  answer(limit, now, 120_000, (inFlight) => 300 * Math.max(1, inFlight / 10));
  expect(limit.current).toBeLessThan(100);
});

test('latencies that swing at random, with stalls of the own process, do not lower a limit for long', () => {
  const seed = 7;
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const limit = new AdaptiveLimit(1_000);
  const lows: number[] = [];
  let now = 0;
  for (let second = 0; second < 300; second++) {
    const stallMs = random() < 0.1 ? 2_000 : 0;
    now = answer(limit, now, 1_000, () => Math.round(300 * (0.5 + random()) + stallMs));
    lows.push(limit.current);
  }
  const mean = lows.reduce((sum, value) => sum + value, 0) / lows.length;
  expect(mean, `seed ${seed}`).toBeGreaterThan(500);
});

test('a limit that nobody uses does not grow, and a small maximum holds at once', () => {
  const idle = new AdaptiveLimit(1_000);
  for (let now = 0; now < 60_000; now += 10) {
    idle.began(1);
    idle.ended(now, now - 300, false);
  }
  expect(idle.current).toBe(64);
  const small = new AdaptiveLimit(3);
  answer(small, 0, 6_000, () => 300);
  expect(small.current).toBe(3);
});

test('a clock that is set back, and latencies of 0 ms, do no harm', () => {
  const limit = new AdaptiveLimit(1_000);
  answer(limit, 1e6, 3_000, () => 10);
  limit.ended(0, 1e6, false);
  const now = answer(limit, 0, 3_000, () => 10);
  limit.began(1_000);
  for (let call = 0; call < 100; call++) limit.ended(now + call * 10, now + call * 10, false);
  expect(limit.current).toBe(1_000);
});
