import { expect, test } from 'vitest';
import { eventTypes } from '../../contracts/events.ts';
import { furthestStatus, orderStates, statusAfter } from '../../contracts/order/order-states.ts';

test('every event of an order has its place in the table', () => {
  expect(Object.keys(orderStates).sort()).toEqual(eventTypes.filter((type) => type !== 'order.conflicting').sort());
  expect(statusAfter('order.conflicting')).toBeUndefined();
  expect(statusAfter('toString')).toBeUndefined();
});

test.each<[string, string[], string | undefined]>([
  ['a repeat that comes last', ['order.placed', 'order.validated', 'order.paid', 'order.placed'], 'paid'],
  ['a conflict that comes last', ['order.placed', 'order.validated', 'order.conflicting'], 'validated'],
  ['a recall', ['order.paid', 'order.cooked/1', 'order.recalled/1'], 'paid'],
  ['a late tap of the round before', ['order.paid', 'order.cooked/1', 'order.recalled/1', 'order.cooked/1'], 'paid'],
  ['cooked again', ['order.cooked/2', 'order.recalled/1', 'order.cooked/1', 'order.paid'], 'cooked'],
  ['nothing of ours', ['someone.else'], undefined],
])('%s', (_, events, status) => {
  const read = events.map((text) => {
    const [type = '', round] = text.split('/');
    return { type, round: round === undefined ? undefined : Number(round) };
  });
  expect(furthestStatus(read)).toBe(status);
});
