import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { pastTime, pointInTime, stages } from '#cli/options.ts';

test.for(['10', 'order 1', '1764000000', '99999999999999999999', '2026-11-22', '2026-11-22T10:00:00', '99999999d', ''])(
  'a time that Date.parse would guess, or that no calendar has, is refused: %j',
  (text) => {
    expect(() => pointInTime(text)).toThrow(InvalidArgumentError);
  },
);

test.for([
  ['2026-11-22T10:00:00Z', Date.UTC(2026, 10, 22, 10)],
  ['2026-11-22t10:00:00.5+01:00', Date.UTC(2026, 10, 22, 9, 0, 0, 500)],
  ['1764000000000', 1_764_000_000_000],
] as const)('%s is %i', ([text, value]) => {
  expect(pointInTime(text)).toBe(value);
});

test('30m is half an hour ago', () => {
  const before = Date.now();
  const value = pastTime('30m');
  expect(value).toBeGreaterThanOrEqual(before - 1_800_000);
  expect(value).toBeLessThanOrEqual(Date.now() - 1_800_000);
});

test('a --since in the future is refused with the time that was understood', () => {
  expect(() => pastTime('2286-11-20T00:00:00Z')).toThrow('2286-11-20T00:00:00.000Z is in the future');
});

test('stages are rates, each for a time', () => {
  expect(stages('100:30s, 500:1m,0.5:2h')).toEqual([
    { rate: 100, seconds: 30 },
    { rate: 500, seconds: 60 },
    { rate: 0.5, seconds: 7_200 },
  ]);
});

test.for(['', '100', '100:30', '100:30d', '0:30s', '100:0s', '100:30s,', '1.2.3:5s', '-1:5s'])(
  'stages are refused that have no rate or no time: %j',
  (text) => {
    expect(() => stages(text)).toThrow('100:30s,500:1m');
  },
);
