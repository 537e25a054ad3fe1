import { expect, test } from 'vitest';
import { sequenceOf } from '../../bridge/pubsub/sequence.ts';

test('events of an order rise with its life, whatever their offsets, over logs and partitions', () => {
  const life: [type: string, round?: number][] = [
    ['order.validated'],
    ['order.paid'],
    ['order.cooking', 1],
    ['order.cooked', 1],
    ['order.recalled', 1],
    ['order.cooking', 2],
    ['order.cooked', 2],
  ];
  // Each comes before the event that it follows, as in the log of another region.
  const sequences = life.map(([type, round], index) =>
    Number(sequenceOf(type, `o-1/${type}${round === undefined ? '' : `/${round}`}`, 1_000 - index)),
  );
  expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  expect(new Set(sequences).size).toBe(life.length);
});

test('is later than every event that was numbered by its offset alone, and fits 18 digits', () => {
  expect(BigInt(sequenceOf('order.paid', 'o-1/order.paid', 0))).toBeGreaterThan(10n ** 14n);
  expect(sequenceOf('order.recalled', 'o-1/order.recalled/500', 10 ** 14).length).toBeLessThanOrEqual(18);
});
