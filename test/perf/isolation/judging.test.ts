import { expect, test } from 'vitest';
import { behind } from '../../../perf/isolation/backlog.ts';
import { drainedAfter, leftText } from '../../../perf/isolation/drain.ts';
import { figuresOf, latencySeries, quantile, type RoundFigures } from '../../../perf/isolation/measure.ts';
import { planRounds } from '../../../perf/isolation/plan.ts';
import { figureLines, lastLine } from '../../../perf/isolation/report.ts';
import { BAR, isolationOf, shortfallsOf, summarize } from '../../../perf/isolation/verdict.ts';

const MIB = 2 ** 20;

function round(name: string, p99Ms: number, more: Partial<RoundFigures> = {}): RoundFigures {
  const memoryMax = { kitchen: 100 * MIB, bridge: 100 * MIB };
  return { name, from: 0, to: 1, p50Ms: 10, p99Ms, tickets: 100, bridgeLagMax: 0, memoryMax, ...more };
}

const counts = {
  accepted: 3,
  validated: 3,
  rejected: 0,
  parked: 0,
  paid: 3,
  paymentFailed: 0,
  cooked: 3,
  bridged: 1,
  warehouse: 1,
  inFlight: 0,
  lost: 0,
  duplicateEffects: 0,
  outOfOrder: 0,
};

test('a quiet round stands before each round of a case, and the cases take turns', () => {
  expect(planRounds(['a', 'b'], 2)).toEqual(['quiet', 'a', 'quiet', 'b', 'quiet', 'a', 'quiet', 'b']);
});

test('an order belongs to the round in which it was accepted, however late its ticket is', () => {
  const orders = [
    { acceptedAt: 5, shownAt: 12 },
    { acceptedAt: 9, shownAt: 9_009 },
    { acceptedAt: 10, shownAt: 11 },
    // Its ticket was seen before its 202 was read.
    { acceptedAt: 6, shownAt: 5 },
  ];
  const sample = { kitchenLag: 0, memory: { bridge: 5 } };
  const samples = [
    { ...sample, at: 0, bridgeLag: 7 },
    { ...sample, at: 9, bridgeLag: 3, memory: { bridge: 4, kitchen: 9 } },
    { ...sample, at: 10, bridgeLag: 99 },
  ];
  expect(figuresOf({ name: 'quiet', from: 0, to: 10 }, orders, samples)).toEqual({
    name: 'quiet',
    from: 0,
    to: 10,
    p50Ms: 7,
    p99Ms: 9_000,
    tickets: 3,
    bridgeLagMax: 7,
    memoryMax: { bridge: 5, kitchen: 9 },
  });
});

test('the lag of a case is that of its drain too, in which the bridge still waits for its next try', () => {
  const orders = [{ acceptedAt: 5, shownAt: 12 }];
  const samples = [4, 2_009, 2_010].map((at) => ({ at, bridgeLag: at, kitchenLag: 0, memory: {} }));
  const round = { name: 'stop', from: 0, to: 10, drainedS: 2 };
  expect(figuresOf(round, orders, samples)?.bridgeLagMax).toBe(2_009);
  expect(figuresOf({ ...round, drainedS: null }, orders, samples)?.bridgeLagMax).toBe(4);
});

test('a round in which no order became a ticket has no figures', () => {
  expect(figuresOf({ name: 'quiet', from: 0, to: 10 }, [], [])).toBeUndefined();
});

test('a quantile is a value that occurred', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect([quantile(values, 0.5), quantile(values, 0.99), quantile([3], 0.99)]).toEqual([100, 198, 3]);
});

test('the series has a point for each interval with orders, in order of time', () => {
  const orders = [
    { acceptedAt: 25, shownAt: 29 },
    { acceptedAt: 3, shownAt: 4 },
    { acceptedAt: 4, shownAt: 14 },
  ];
  expect(latencySeries(orders, 10)).toEqual([
    { at: 5, p50Ms: 1, p99Ms: 10 },
    { at: 25, p50Ms: 4, p99Ms: 4 },
  ]);
});

test('the bridge is behind by what it has not committed; a partition that it never committed counts whole', () => {
  const committed = new Map([
    [0, 7],
    [1, 12],
  ]);
  const ends = new Map([
    [0, 10],
    [1, 11],
    [2, 5],
  ]);
  expect(behind(committed, ends)).toBe(8);
});

test('a drain takes as long as the slowest part, and has no length while one part has not finished', () => {
  const done = (seconds: number) => ({ left: 0, seconds });
  const drained = { bridge: done(1.5), warehouse: done(4), loyalty: done(0) };
  expect([drainedAfter(drained), leftText(drained)]).toEqual([4, '']);
  const late = { ...drained, loyalty: { left: 3, seconds: undefined } };
  expect([drainedAfter(late), leftText(late)]).toEqual([undefined, 'loyalty lacks 3']);
});

test('a case is its median against the median of all quiet rounds', () => {
  const { quiet, cases } = summarize([
    round('quiet', 100),
    round('stop', 105, { drainedS: 2, bridgeLagMax: 10 }),
    round('quiet', 90),
    round('stop', 500, { drainedS: 7, bridgeLagMax: 30 }),
    round('quiet', 110),
    round('stop', 102, { drainedS: 3, bridgeLagMax: 20 }),
  ]);
  expect(quiet.kitchenP99Ms).toBe(100);
  expect(cases.stop).toMatchObject({ kitchenP99Ms: 105, versusQuiet: 1.05, bridgeLagMax: 30, drainedS: 7 });
  // The second round was 5.6 times its quiet one.
  expect(cases.stop?.roundsDiffer).toBeCloseTo(500 / 90 - 1.05);
  expect(cases.stop?.isolation).toBe('rounds disagree');
});

test.each([
  [1.02, 0.1, 'within'],
  [1.02, 0.14, 'rounds disagree'],
  [BAR, 0, 'within'],
  [1.4, 0.2, 'over'],
  [1.4, 0.3, 'rounds disagree'],
] as const)('%d times quiet, with rounds that differ by %d: %s', (versusQuiet, roundsDiffer, isolation) => {
  expect(isolationOf(versusQuiet, roundsDiffer)).toBe(isolation);
});

test('over the bar, not drained in time, and growing memory fail a run; rounds that disagree are only named', () => {
  const memoryMax = { kitchen: 100 * MIB, bridge: 400 * MIB };
  const figures = summarize([
    round('quiet', 100),
    round('over', 200, { drainedS: 1 }),
    round('quiet', 100),
    round('late', 100, { drainedS: null }),
    round('quiet', 200, { memoryMax }),
    round('open', 115, { drainedS: 1, memoryMax }),
  ]);
  expect(figures.cases).toMatchObject({
    over: { isolation: 'over' },
    late: { drainedS: null },
    open: { isolation: 'rounds disagree' },
  });
  const { failures, open } = shortfallsOf(figures);
  expect(failures).toEqual([
    expect.stringContaining("over: the kitchen's p99 is 2.00 times"),
    'late: what it held back was not worked off in time',
    'bridge: memory grew from 100 MiB to 400 MiB',
  ]);
  expect(open).toEqual([expect.stringContaining('open: ')]);
});

test('the last line has the names of the contract, and the keys of the audit beside them', () => {
  const figures = summarize([
    round('quiet', 101.26),
    round('pubsub-stopped', 104.04, { drainedS: 3.1234, bridgeLagMax: 44 }),
  ]);
  expect(JSON.parse(lastLine(figures, counts))).toEqual({
    quiet: { kitchenP99Ms: 101.3 },
    cases: {
      'pubsub-stopped': {
        kitchenP99Ms: 104,
        bridgeLagMax: 44,
        drainedS: 3.1,
        versusQuiet: 1.027,
        isolation: 'within',
      },
    },
    ...counts,
  });
  expect(figureLines(figures)[1]).toContain('1.03 ±0.00 times quiet: within');
});
