import { expect, test } from 'vitest';
import { beyondTheClock } from '../../../perf/pipeline/beyond-the-clock.ts';
import { costsOf, UNEXPLAINED } from '../../../perf/pipeline/costs.ts';
import { ratesOf, warmAfterSeconds } from '../../../perf/pipeline/rate.ts';
import type { Reading } from '../../../perf/pipeline/readings.ts';
import { sampledOf } from '../../../perf/pipeline/sampled.ts';
import type { FlameNode } from '../../../telemetry/flame/flame.ts';

/** A reading at which everything has used `scale` times as much as in a reading at scale 1. */
function reading(scale: number): Reading {
  const stages = [
    { stage: 'decide' as const, messages: 0, operations: 0, busySeconds: 0.004 * scale, waits: 0, waitSeconds: 0 },
    { stage: 'store' as const, messages: 0, operations: 0, busySeconds: 0.008 * scale, waits: 0, waitSeconds: 0 },
  ];
  return {
    atMs: 1_000 * scale,
    tickets: 100 * scale,
    othersUs: { postgres: 10_000 * scale },
    roles: {
      payment: {
        processUs: 10_000 * scale,
        threadsUs: {
          MainThread: 1_000 * scale,
          WorkerThread: 7_000 * scale,
          V8Worker: 1_500 * scale,
        },
        stages: [{ thread: 'slot 0', cpuSeconds: 0.007 * scale, activeSeconds: 0.014 * scale, stages }],
      },
    },
  };
}

test('an order costs what all processes used between two readings, by stage where a clock names one', () => {
  const costs = costsOf(reading(3), reading(5));
  expect(costs.totalUs).toBeCloseTo(200);
  expect(costs.cost_us_per_order).toEqual({ postgres: 100, payment: 100 });
  expect(costs.rows.map(({ process, thread, stage, us }) => [process, thread, stage, Math.round(us)])).toEqual([
    ['postgres', 'all threads', '', 100],
    // Half of the time that the thread was active it had the processor.
    ['payment', 'slot 0', 'store', 40],
    ['payment', 'slot 0', 'decide', 20],
    ['payment', 'V8Worker', 'compilers and garbage collector of V8', 15],
    [UNEXPLAINED, '', '', 25],
  ]);
  expect(costs.explained).toBeCloseTo(0.875);
});

test('clocks that were read later than the system never explain more than was spent', () => {
  const late = reading(5);
  const payment = late.roles.payment as NonNullable<typeof late.roles.payment>;
  const [slot] = payment.stages as [(typeof payment.stages)[0]];
  const stages = [{ ...slot, cpuSeconds: 2 * slot.cpuSeconds, activeSeconds: 2 * slot.activeSeconds }];
  const costs = costsOf(reading(3), { ...late, roles: { payment: { ...payment, stages } } });
  const paid = costs.rows.filter(({ process }) => process === 'payment').reduce((sum, { us }) => sum + us, 0);
  expect(paid).toBeLessThanOrEqual(costs.cost_us_per_order.payment ?? 0);
  expect(costs.explained).toBeLessThan(1);
});

test('samples name what a thread did outside of its stages, but for functions of no stage', () => {
  // 0.04 s outside, of which the samples know 0.03.
  const cost = {
    thread: 'slot 0',
    cpuSeconds: 0.1,
    explainedSeconds: 0.06,
    stages: [
      { stage: 'store' as const, messages: 1, batch: 1, cpuSeconds: 0.05, waitMs: undefined },
      { stage: 'decide' as const, messages: 1, batch: 1, cpuSeconds: 0.01, waitMs: undefined },
    ],
  };
  const beyond = beyondTheClock(cost, { store: 0.45, decide: 0.2, GC: 0.2, program: 0.05, other: 0.1 });
  // Beyond the clock are 0.01 s of `decide`, 0.02 s of GC and 0.005 s of native code; `store` has less than the clock says.
  expect(beyond.map(({ name, seconds }) => [name.split(/[ ,]/)[0], Number(seconds.toFixed(4))])).toEqual([
    ['decide', 0.0086],
    ['garbage', 0.0171],
    ['native', 0.0043],
  ]);
  expect(beyondTheClock(cost, { store: 0.5, other: 0.5 })).toEqual([]);
  expect(beyondTheClock(cost)).toEqual([]);
});

test('what a gateway encodes and produces is part of what its samples call append', () => {
  const stages = (['append', 'encode', 'produce'] as const).map((stage) => ({
    stage,
    messages: 1,
    batch: 1,
    cpuSeconds: 0.1,
    waitMs: undefined,
  }));
  const cost = { thread: 'main', cpuSeconds: 0.4, explainedSeconds: 0.3, stages };
  const beyond = beyondTheClock(cost, { append: 0.75, GC: 0.25 });
  expect(beyond).toEqual([{ name: 'garbage collector (sampled)', seconds: expect.closeTo(0.1) }]);
});

test('of a flame graph the shares are of the time in which the thread was busy', () => {
  const level = (name: string, total: number, children: FlameNode[] = []): FlameNode => ({
    frame: { name, file: '', line: 0 },
    self: 0,
    total,
    children,
  });
  const main = level('main', 10, [level('idle', 6), level('GC', 1), level('store', 3)]);
  expect(sampledOf({ unit: 'microseconds', root: level('all', 10, [main]) })).toEqual({
    main: { GC: 0.25, store: 0.75 },
  });
});

test('the mesh is warm from the first step whose rate is near the sustained one', () => {
  const at = (seconds: number, tickets: number): Reading => ({ ...reading(1), atMs: seconds * 1_000, tickets });
  const rates = ratesOf([at(7, 0), at(12, 5_000), at(17, 14_600)], [at(18, 16_000), at(23, 26_000), at(28, 36_100)]);
  expect(rates.map(({ atSeconds, perSecond, isWarm }) => [atSeconds, perSecond, isWarm])).toEqual([
    [5, 1_000, false],
    [10, 1_920, false],
    [16, 2_000, true],
    [21, 2_020, true],
  ]);
  expect(warmAfterSeconds(rates)).toBe(5);
});
