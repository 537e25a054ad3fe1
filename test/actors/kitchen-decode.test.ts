import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { InvalidMessageError } from '../../actors/invalid-message.ts';
import { createActor } from '../../actors/kitchen/actor.ts';
import { testMessage, testOrder } from './support.ts';

const kitchen = createActor({ registry: new Registry() });

function decoded(change: object): unknown {
  const order = testOrder({ items: [{ sku: 'burger', quantity: 1, unitPrice: 599, note: 'hot' }] });
  const event = { orderId: order.orderId, storeId: order.storeId, order: { ...order, ...change } };
  return kitchen.decode(testMessage(order.orderId, event, { type: 'order.paid' }));
}

test('takes a paid order, also one of an earlier schema', () => {
  expect(decoded({})).toMatchObject({ type: 'order.paid' });
  expect(
    decoded({ items: [{ sku: 'Old SKU', quantity: 1000, extra: true, modifiers: [{ sku: 'cheese' }] }] }),
  ).toMatchObject({
    type: 'order.paid',
  });
});

test.each<[string, object, string]>([
  ['items that are no list', { items: {} }, 'order/items must be array'],
  ['no items', { items: undefined }, 'order/items is required'],
  ['a SKU that is no text', { items: [{ sku: 5, quantity: 1 }] }, 'order/items/0/sku must be string'],
  ['an item without a quantity', { items: [{ sku: 'burger' }] }, 'order/items/0/quantity is required'],
  [
    'modifiers that are no list',
    { items: [{ sku: 'burger', quantity: 1, modifiers: {} }] },
    'order/items/0/modifiers must be array',
  ],
  [
    'a note that is no text',
    { items: [{ sku: 'burger', quantity: 1, note: null }] },
    'order/items/0/note must be string',
  ],
  ['no channel', { channel: undefined }, 'order/channel is required'],
  ['a time that is none', { placedAt: 'noon' }, 'order/placedAt must be a date and time'],
])('refuses %s, so that the event is parked before it is a ticket that no screen can show', (_, change, says) => {
  const decoding = () => decoded(change);
  expect(decoding).toThrow(InvalidMessageError);
  expect(decoding).toThrow(says);
});

test('refuses an event without an order', () => {
  const message = testMessage('a', { orderId: 'a' }, { type: 'order.paid' });
  expect(() => kitchen.decode(message)).toThrow(InvalidMessageError);
});
