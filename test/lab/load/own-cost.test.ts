import { expect, test } from 'vitest';
import { bottleneckOf, OwnCostWatch } from '../../../lab/load/own-cost.ts';

test.each([
  [{ cores: 0.5, loopDelayP99Ms: 3, lateP99Ms: 2 }, undefined],
  [{ cores: 0.93, loopDelayP99Ms: 3, lateP99Ms: 2 }, 'it takes 0.93 of a core'],
  [{ cores: 0.1, loopDelayP99Ms: 3, lateP99Ms: 400 }, 'one order in a hundred was sent more than 400 ms late'],
  [{ cores: 0.9, loopDelayP99Ms: 120, lateP99Ms: 2 }, 'it takes 0.90 of a core, its event loop was 120 ms late'],
])('%j: %s', (cost, expected) => {
  expect(bottleneckOf(cost)).toBe(expected);
});

test('a lap counts its own processor time and lateness, and not that of the lap before', async () => {
  const watch = new OwnCostWatch();
  const endsAt = performance.now() + 200;
  while (performance.now() < endsAt) Math.random();
  watch.sentLate(150);
  const busy = watch.lap();
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const quiet = watch.lap();
  const { user, system } = process.cpuUsage(before);
  watch.close();
  expect(busy.lateP99Ms).toBeCloseTo(150, 0);
  expect(quiet.lateP99Ms).toBe(0);
  expect(busy.cores).toBeGreaterThan(0);
  // The lap is a little longer than what was measured around it.
  expect(quiet.cores).toBeLessThanOrEqual((user + system) / 1_000 / 200 + 0.05);
});
