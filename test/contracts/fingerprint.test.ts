import { expect, test } from 'vitest';
import { orderFingerprint } from '../../contracts/order/fingerprint.ts';
import type { Order } from '../../contracts/order/order.ts';

const order: Order = {
  orderId: '0192f1c2-7c1a-7cc0-8000-000000000001',
  storeId: 'us-il-0001',
  channel: 'pos',
  placedAt: '2026-11-22T10:00:00.000Z',
  currency: 'USD',
  items: [
    { sku: 'double-cheeseburger', quantity: 2, unitPrice: 599, modifiers: [{ sku: 'extra-cheese', unitPrice: 50 }] },
    { sku: 'fries-large', quantity: 1, unitPrice: 349 },
  ],
  total: 1647,
  customerId: 'c-1',
  payment: { method: 'card', token: 'tok_visa' },
};

const adjusted = (included?: boolean) => ({
  adjustments: [{ kind: 'tax', amount: 5, ...(included === undefined ? {} : { included }) }],
});

function changed(change: (copy: Order) => void): Order {
  const copy = structuredClone(order);
  change(copy);
  return copy;
}

test('the order of keys, defaults written out and the orderId make no difference', () => {
  const fingerprint = orderFingerprint(order);
  const reversed = Object.fromEntries(Object.entries(order).reverse()) as unknown as Order;
  expect(orderFingerprint(reversed)).toBe(fingerprint);
  expect(orderFingerprint(changed((copy) => Object.assign(copy.items[1] ?? {}, { modifiers: [] })))).toBe(fingerprint);
  expect(orderFingerprint(changed((copy) => Object.assign(copy.items[0]?.modifiers?.[0] ?? {}, { quantity: 1 })))).toBe(
    fingerprint,
  );
  const empty = { adjustments: [], metadata: {} };
  expect(orderFingerprint({ ...order, ...empty, items: order.items.map((item) => ({ ...item, parts: [] })) })).toBe(
    fingerprint,
  );
  const taxed = (included?: boolean) => changed((copy) => Object.assign(copy, adjusted(included)));
  expect(orderFingerprint(taxed(false))).toBe(orderFingerprint(taxed()));
  expect(orderFingerprint({ ...order, orderId: '0192f1c2-7c1a-7cc0-8000-000000000002' })).toBe(fingerprint);
});

test('the fingerprint of an order of version 1.0 is the one that is stored', () => {
  expect(orderFingerprint(order)).toBe('8MJu3eRKcOxgnPmC3kExoV6tditaAj-QlHK8N431zh0');
});

test('every field of the content makes a difference', () => {
  const variants = [
    order,
    changed((copy) => Object.assign(copy, { storeId: 'us-il-0002' })),
    changed((copy) => Object.assign(copy, { channel: 'app' })),
    changed((copy) => Object.assign(copy, { placedAt: '2026-11-22T10:00:01.000Z' })),
    changed((copy) => Object.assign(copy, { currency: 'EUR' })),
    changed((copy) => Object.assign(copy, { total: 1648 })),
    changed((copy) => Object.assign(copy, { customerId: 'c-2' })),
    changed((copy) => delete copy.customerId),
    changed((copy) => Object.assign(copy.payment, { method: 'app' })),
    changed((copy) => Object.assign(copy.payment, { token: 'tok_other' })),
    changed((copy) => Object.assign(copy.items[0] ?? {}, { sku: 'cheeseburger' })),
    changed((copy) => Object.assign(copy.items[0] ?? {}, { quantity: 3 })),
    changed((copy) => Object.assign(copy.items[0] ?? {}, { unitPrice: 600 })),
    changed((copy) => Object.assign(copy.items[0] ?? {}, { note: 'no onions' })),
    changed((copy) => Object.assign(copy.items[0]?.modifiers?.[0] ?? {}, { sku: 'bacon' })),
    changed((copy) => Object.assign(copy.items[0]?.modifiers?.[0] ?? {}, { quantity: 2 })),
    changed((copy) => Object.assign(copy.items[0]?.modifiers?.[0] ?? {}, { unitPrice: 51 })),
    changed((copy) => Object.assign(copy.items[0] ?? {}, { allergies: ['peanut'] })),
    changed((copy) => Object.assign(copy.items[0] ?? {}, { parts: [{ sku: 'cola', quantity: 1, unitPrice: 0 }] })),
    changed((copy) => Object.assign(copy, adjusted())),
    changed((copy) => Object.assign(copy, adjusted(true))),
    changed((copy) => Object.assign(copy, { number: 'A27' })),
    changed((copy) => Object.assign(copy, { guest: { name: 'A27' } })),
    changed((copy) => Object.assign(copy, { fulfilment: { type: 'eat-in' } })),
    changed((copy) => Object.assign(copy, { fulfilment: { type: 'eat-in', table: '1' } })),
    changed((copy) => Object.assign(copy, { metadata: { till: '4' } })),
    changed((copy) => copy.items.reverse()),
    changed((copy) => copy.items.pop()),
  ];
  expect(new Set(variants.map(orderFingerprint)).size).toBe(variants.length);
});
