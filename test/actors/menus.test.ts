import { expect, test } from 'vitest';
import { judgedAt } from '../../actors/order-validator/menus.ts';
import { versionAt } from '../../store/menus/catalog.ts';

test.each([
  ['the time of the order', 950, 1_000, 950],
  ['the beginning of the window for an older order', 100, 1_000, 900],
  ['the time of its acceptance for an order of a clock that is fast', 5_000, 1_000, 1_000],
])('the menu that counts is that at %s', (_, placedAtMs, acceptedAtMs, expected) => {
  expect(judgedAt({ placedAtMs, acceptedAtMs }, 100)).toBe(expected);
});

test('of two versions with the same time the last is in force; before all of them the oldest', () => {
  const versions = [
    { version: 3, effectiveAtMs: 10 },
    { version: 1, effectiveAtMs: 20 },
    { version: 2, effectiveAtMs: 20 },
  ];
  expect([5, 10, 19, 20, 99].map((atMs) => versionAt({ loads: 3, versions }, atMs))).toEqual([3, 3, 3, 2, 2]);
});
