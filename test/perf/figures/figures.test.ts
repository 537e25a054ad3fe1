import { expect, test } from 'vitest';
import { barText, disagreementOf, verdictOf } from '../../../perf/figures/bars.ts';
import { intervalOf } from '../../../perf/figures/figure.ts';
import { createReport, table } from '../../../perf/report.ts';
import { figure, ratioFigure } from '../../../perf/rounds.ts';

test('a figure keeps its rounds, and a ratio the ratio of each round', () => {
  expect(figure([3, 1, 2], 'ms', 'nothing')).toMatchObject({ value: 2, spread: 1, rounds: [3, 1, 2] });
  expect(ratioFigure([10, 30], [20, 20], 'nothing')).toMatchObject({ value: 1, rounds: [0.5, 1.5] });
});

test('the interval of few rounds has all of them', () => {
  expect(intervalOf([5])).toEqual({ low: 5, high: 5 });
  expect(intervalOf([3, 9, 1, 5, 7])).toEqual({ low: 1, high: 9 });
  expect(intervalOf([1, 2, 3, 4, 5, 6, 7, 8])).toEqual({ low: 1, high: 8 });
  expect(() => intervalOf([])).toThrow('interval of nothing');
});

/** Ranks of the 95 % interval of the median, as tables of order statistics have them. */
test.each([
  [9, 2, 8],
  [12, 3, 10],
  [15, 4, 12],
  [20, 6, 15],
  [35, 12, 24],
])('the interval of %i rounds goes from the %ith to the %ith', (n, low, high) => {
  const rounds = Array.from({ length: n }, (_, index) => index + 1);
  expect(intervalOf(rounds.reverse())).toEqual({ low, high });
});

test('rounds that disagree by more than the distance to the bar neither hold nor fail', () => {
  const bar = { atLeast: 0.8 };
  expect(verdictOf({ value: 0.9, rounds: [0.85, 0.9, 0.95] }, bar)).toBe('holds');
  expect(verdictOf({ value: 0.7, rounds: [0.65, 0.7, 0.75] }, bar)).toBe('fails');
  expect(verdictOf({ value: 0.9, rounds: [0.75, 0.9, 0.95] }, bar)).toBe('undecided');
  expect(verdictOf({ value: 0.7, rounds: [0.6, 0.7, 0.82] }, bar)).toBe('undecided');
  expect(verdictOf({ value: 0.8, rounds: [0.8] }, bar)).toBe('holds');
});

test('a bar from above is held by what is below it', () => {
  const bar = { atMost: 10 };
  expect(verdictOf({ value: 8, rounds: [7, 8, 9] }, bar)).toBe('holds');
  expect(verdictOf({ value: 14, rounds: [13, 14, 17] }, bar)).toBe('fails');
  expect(verdictOf({ value: 8, rounds: [7, 8, 11] }, bar)).toBe('undecided');
  expect(barText(bar)).toBe('≤ 10');
});

test('the value itself may lie outside of its rounds', () => {
  expect(disagreementOf({ value: 10, rounds: [4, 6] })).toBe(6);
});

test('the report judges what has a bar, and nothing else', () => {
  const report = createReport({
    gateway_durable_vs_uws_ceiling: figure([0.9, 0.91, 0.92], 'ratio', 'a server that only answers', 3),
    pipeline_orders_per_second: figure([4_000], 'orders/s', 'nothing'),
  });
  expect(report.figures.gateway_durable_vs_uws_ceiling).toMatchObject({ bar: { atLeast: 0.8 }, verdict: 'holds' });
  expect(report.figures.pipeline_orders_per_second).not.toHaveProperty('verdict');
  expect(table(report)).toMatch(/gateway_durable_vs_uws_ceiling +0.91 ratio +holds: ≥ 0.8/);
});
