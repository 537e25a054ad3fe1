import { expect, test } from 'vitest';
import { pointsEntry, pointsFor, validatePaidOrder } from '../../bridge/loyalty/points.ts';
import { readPushedMessage } from '../../bridge/loyalty/push-message.ts';

const paid = {
  orderId: '0192f1c2-7c1a-7cc0-8000-000000000001',
  occurredAt: '2026-11-22T10:00:00.000Z',
  total: 1999,
  order: { customerId: 'c-1' },
};

test('a point for each whole hundred', () => {
  expect(pointsFor(1999, 100)).toBe(19);
  expect(pointsFor(99, 100)).toBe(0);
});

test('an entry for a customer, none for a guest or for no points', () => {
  expect(pointsEntry('e', paid, 100)).toMatchObject({ eventId: 'e', customerId: 'c-1', points: 19 });
  expect(pointsEntry('e', { ...paid, order: {} }, 100)).toBeUndefined();
  expect(pointsEntry('e', { ...paid, total: 99 }, 100)).toBeUndefined();
});

test.each([undefined, {}, { ...paid, orderId: 'x' }, { ...paid, total: -1 }, { ...paid, order: { customerId: 7 } }])(
  '%j is no paid order',
  (value) => {
    expect(validatePaidOrder(value).ok).toBe(false);
  },
);

test('reads a pushed message', () => {
  const event = {
    id: 'm-1',
    data: { message: { messageId: 'm-1', data: Buffer.from('{}').toString('base64'), attributes: { type: 'a' } } },
  };
  expect(readPushedMessage(event)).toEqual({ messageId: 'm-1', data: Buffer.from('{}'), attributes: { type: 'a' } });
});

test.each([undefined, null, 'text', {}, { id: 'x' }, { data: { message: { messageId: 'm' } } }])(
  '%j is no message, and says so instead of throwing',
  (event) => {
    expect(readPushedMessage(event)).toHaveProperty('reason');
  },
);
