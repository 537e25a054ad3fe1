import { expect, test } from 'vitest';
import { highValueRule, isHighValue } from '../../bridge/filter.ts';

const rule = highValueRule(['order.paid'], 1500);

test('takes events of a wanted type from the least total on', () => {
  expect(isHighValue(rule, 'order.paid', () => ({ total: 1500 }))).toBe(true);
  expect(isHighValue(rule, 'order.paid', () => ({ total: 1499 }))).toBe(false);
});

test('does not even read the value of another type', () => {
  const unreadable = () => {
    throw new Error('must not be read');
  };
  expect(isHighValue(rule, 'order.cooked', unreadable)).toBe(false);
});

test.each([null, [], 'text', {}, { total: '1500' }, { total: 15.5 }])(
  '%j is no event, not an event of low value',
  (value) => {
    expect(() => isHighValue(rule, 'order.paid', () => value)).toThrow(/total is missing/);
  },
);
