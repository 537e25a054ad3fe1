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

test('a lap counts its own processor time and lateness, and not that of the lap before', () => {
  let [cpuUs, nowMs] = [5_000_000, 1_000];
  const watch = new OwnCostWatch({ cpuUs: () => cpuUs, nowMs: () => nowMs });
  [cpuUs, nowMs] = [cpuUs + 180_000, nowMs + 200];
  watch.sentLate(150);
  expect(watch.lap()).toMatchObject({ cores: 0.9, lateP99Ms: expect.closeTo(150, 0) });
  [cpuUs, nowMs] = [cpuUs + 20_000, nowMs + 200];
  expect(watch.lap()).toMatchObject({ cores: 0.1, lateP99Ms: 0 });
  watch.close();
});

test('without other meters a watch reads those of its process', () => {
  const watch = new OwnCostWatch();
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user < 20_000) Math.random();
  expect(watch.lap().cores).toBeGreaterThan(0);
  watch.close();
});
