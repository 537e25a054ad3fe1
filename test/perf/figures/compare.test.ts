import { expect, test } from 'vitest';
import { compareReports, differenceLines } from '../../../perf/compare/compare.ts';
import { isBroken } from '../../../perf/figures/guard.ts';
import { figure } from '../../../perf/rounds.ts';

const report = (rounds: Record<string, number[]>) => ({
  figures: Object.fromEntries(Object.entries(rounds).map(([name, values]) => [name, figure(values, 'orders/s', '')])),
});

test('what moved is marked where the rounds of both sides lie apart', () => {
  const before = report({
    faster: [10, 11, 12],
    slower: [10, 11, 12],
    noise: [10, 11, 12],
    single: [10],
    gone: [1, 2],
  });
  const after = report({ faster: [13, 14, 15], slower: [7, 8, 9], noise: [9, 10.5, 13], single: [20], new: [1, 2] });
  const differences = compareReports(before, after);
  expect(Object.fromEntries(differences.map(({ name, movement }) => [name, movement]))).toEqual({
    faster: 'up',
    slower: 'down',
    noise: 'within noise',
    single: 'unknown',
    gone: 'gone',
    new: 'new',
  });
  const lines = differenceLines(differences);
  expect(lines.filter((line) => line.startsWith('*')).map((line) => line.split(/ +/)[1])).toEqual(['faster', 'slower']);
  expect(lines[0]).toMatch(/faster +11 +14 orders\/s +\+27.3 % +up$/);
});

test('one outlier of many rounds hides no movement', () => {
  const many = (from: number) => Array.from({ length: 9 }, (_, index) => from + index);
  const before = report({ each: [...many(10), 100] });
  const after = report({ each: [...many(30), 12] });
  expect(compareReports(before, after)[0]?.movement).toBe('up');
});

test('a report of an earlier version has no rounds, and nothing is said of its figures', () => {
  const { each } = report({ each: [1, 2, 3] }).figures;
  const { rounds: _, ...old } = each ?? figure([1], '', '');
  const before = { figures: { each: old } } as unknown as ReturnType<typeof report>;
  expect(compareReports(before, report({ each: [7, 8, 9] }))[0]?.movement).toBe('unknown');
});

test('the guard fails only where all rounds are far beyond the bar', () => {
  expect(isBroken({ rounds: [0.25, 0.3, 0.31] }, { atLeast: 0.8 })).toBe(true);
  expect(isBroken({ rounds: [0.25, 0.3, 0.33] }, { atLeast: 0.8 })).toBe(false);
  expect(isBroken({ rounds: [26, 30] }, { atMost: 10 })).toBe(true);
  expect(isBroken({ rounds: [24, 30] }, { atMost: 10 })).toBe(false);
});
