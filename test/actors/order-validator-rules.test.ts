import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalOrder } from '../../actors/order-validator/outputs.ts';
import { demandOf, reserve } from '../../actors/order-validator/reservation.ts';
import { checkOrder } from '../../actors/order-validator/rules.ts';
import { VelocityTurn } from '../../actors/order-validator/velocity.ts';
import { orderFingerprint } from '../../contracts/order/fingerprint.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { Catalog } from '../../store/menus/catalog.ts';
import { testOrder } from './support.ts';

const catalog: Catalog = {
  version: 1,
  stores: new Map([['us-il-0001', { timezone: 'America/Chicago', opens: 6 * 60, closes: 23 * 60, currency: 'USD' }]]),
  items: new Map([
    ['burger', { price: 599, modifiers: new Map([['cheese', 50]]) }],
    ['fries', { price: 249, modifiers: new Map() }],
    [
      'menu',
      {
        price: 799,
        modifiers: new Map(),
        parts: new Map([
          ['burger', 0],
          ['fries', 30],
        ]),
      },
    ],
  ]),
  positions: new Map([
    ['burger', 0],
    ['cheese', 1],
    ['fries', 2],
  ]),
};

function codes(order: Order, amountMax = 50_000): string[] {
  return checkOrder(order, Date.parse(order.placedAt), catalog, { amountMax }).map(({ code, pointer }) =>
    pointer === undefined ? code : `${code} ${pointer}`,
  );
}

describe('checkOrder', () => {
  const cheese = { sku: 'cheese', unitPrice: 50, quantity: 2 };

  test('finds nothing wrong with a right order', () => {
    expect(codes(testOrder({ items: [{ sku: 'burger', quantity: 2, unitPrice: 599, modifiers: [cheese] }] }))).toEqual(
      [],
    );
  });

  test.each<[string, Partial<Order>]>([
    ['store-unknown /storeId', { storeId: 'us-il-9999' }],
    ['wrong-currency /currency', { currency: 'EUR' }],
    ['unknown-sku /items/0/sku', { items: [{ sku: 'sushi', quantity: 1, unitPrice: 1 }] }],
    [
      'unknown-sku /items/0/modifiers/0/sku',
      { items: [{ sku: 'fries', quantity: 1, unitPrice: 249, modifiers: [cheese] }] },
    ],
    ['wrong-price /items/0/unitPrice', { items: [{ sku: 'fries', quantity: 1, unitPrice: 248 }] }],
    [
      'wrong-price /items/0/modifiers/0/unitPrice',
      { items: [{ sku: 'burger', quantity: 1, unitPrice: 599, modifiers: [{ ...cheese, unitPrice: 0 }] }] },
    ],
    ['wrong-total /total', { total: 1 }],
    ['store-closed /placedAt', { placedAt: '2026-11-22T11:59:59.999Z' }],
    ['store-closed /placedAt', { placedAt: '2026-11-23T05:00:00Z' }],
    ['amount-limit /total', { items: [{ sku: 'burger', quantity: 84, unitPrice: 599 }] }],
  ])('rejects with %s', (code, change) => {
    expect(codes(testOrder(change))).toEqual([code]);
  });

  test('knows the parts of a combo, their prices in it and their modifiers', () => {
    const combo = (...parts: NonNullable<Order['items'][number]['parts']>) =>
      codes(testOrder({ items: [{ sku: 'menu', quantity: 1, unitPrice: 799, parts }] }));
    const burger = { sku: 'burger', quantity: 1, unitPrice: 0, modifiers: [cheese] };
    expect(combo(burger, { sku: 'fries', quantity: 1, unitPrice: 30 })).toEqual([]);
    expect(combo({ sku: 'fries', quantity: 1, unitPrice: 249 })).toEqual(['wrong-price /items/0/parts/0/unitPrice']);
    expect(combo({ sku: 'cheese', quantity: 1, unitPrice: 0 })).toEqual(['unknown-sku /items/0/parts/0/sku']);
    const salted = { sku: 'fries', quantity: 1, unitPrice: 30, modifiers: [cheese] };
    expect(combo(salted)).toEqual(['unknown-sku /items/0/parts/0/modifiers/0/sku']);
    const inBurger = { sku: 'burger', quantity: 1, unitPrice: 599, parts: [burger] };
    expect(codes(testOrder({ items: [inBurger] }))).toEqual(['unknown-sku /items/0/parts/0/sku']);
  });

  test('says that the adjustments count', () => {
    const order = testOrder({ adjustments: [{ kind: 'tip', amount: 100 }] });
    expect(checkOrder(order, Date.parse(order.placedAt), catalog, { amountMax: 50_000 })).toEqual([
      { code: 'wrong-total', detail: 'items and adjustments add up to 699, not 599', pointer: '/total' },
    ]);
  });

  test('takes the amount limit itself', () => {
    expect(codes(testOrder(), 599)).toEqual([]);
    expect(codes(testOrder(), 598)).toEqual(['amount-limit /total']);
  });

  test('collects all reasons, up to a bound', () => {
    const sushi = { sku: 'sushi', quantity: 1, unitPrice: 1 };
    const order = testOrder({
      storeId: 'us-il-9999',
      total: 1,
      items: [sushi, { sku: 'fries', quantity: 1, unitPrice: 1 }],
    });
    expect(codes(order)).toEqual([
      'store-unknown /storeId',
      'unknown-sku /items/0/sku',
      'wrong-price /items/1/unitPrice',
      'wrong-total /total',
    ]);
    expect(codes(testOrder({ items: new Array(100).fill(sushi) }))).toHaveLength(16);
  });

  test('accepts whatever follows the menu, and rejects any other total', () => {
    const line = fc.oneof(
      fc.record({ sku: fc.constant('fries'), quantity: fc.integer({ min: 1, max: 5 }), unitPrice: fc.constant(249) }),
      fc.record({
        sku: fc.constant('burger'),
        quantity: fc.integer({ min: 1, max: 5 }),
        unitPrice: fc.constant(599),
        modifiers: fc.array(fc.constant({ sku: 'cheese', unitPrice: 50 }), { maxLength: 3 }),
      }),
    );
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 10 }),
        fc.integer({ min: -500, max: 500 }),
        (items, off) => {
          const order = testOrder({ items });
          expect(codes(order, 1_000_000)).toEqual([]);
          const wrong = { ...order, total: order.total + off };
          expect(codes(wrong, 1_000_000)).toEqual(off === 0 ? [] : ['wrong-total /total']);
        },
      ),
    );
  });
});

describe('reserve', () => {
  test('takes whole orders or nothing, and never more than there is', () => {
    const item = fc.record({
      sku: fc.constantFrom('burger', 'fries'),
      quantity: fc.integer({ min: 1, max: 4 }),
      unitPrice: fc.constant(0),
      modifiers: fc.array(fc.constant({ sku: 'cheese', unitPrice: 0, quantity: 2 }), { maxLength: 1 }),
    });
    const orders = fc.array(fc.array(item, { minLength: 1, maxLength: 3 }), { maxLength: 20 });
    fc.assert(
      fc.property(orders, fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }), (baskets, stock) => {
        const shelf = Int32Array.from(stock);
        for (const items of baskets) {
          const before = [...shelf];
          const demand = demandOf({ items }, catalog);
          const reasons = reserve(demand, shelf);
          const taken = before.reduce((sum, amount, index) => sum + amount - (shelf[index] ?? 0), 0);
          const short = demand.lines.filter(({ index, quantity }) => quantity > (before[index] ?? 0));
          expect(reasons).toHaveLength(short.length);
          expect(taken).toBe(short.length === 0 ? demand.pieces : 0);
          expect(Math.min(...shelf)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test('names the SKU and what is left', () => {
    const demand = demandOf({ items: [{ sku: 'burger', quantity: 3, unitPrice: 599 }] }, catalog);
    expect(reserve(demand, Int32Array.of(2, 9, 9))).toEqual([
      { code: 'out-of-stock', detail: '3 of burger wanted, 2 left' },
    ]);
  });
});

describe('VelocityTurn', () => {
  const settings = {
    windowSeconds: 600,
    customerOrdersMax: 2,
    cardOrdersMax: 3,
    amountMax: 1,
    menuWindowMs: 86_400_000,
  };

  test('places the orders of a turn after those counted before, in the order of the log', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 30 }), fc.nat(3), (customers, before) => {
        const velocity = new VelocityTurn(settings);
        const keys = customers.map((customer) => velocity.add(testOrder({ customerId: `c-${customer}` }), 0));
        const after = new Map(
          velocity.counts.map((count) => [`${count.windowStart}/${count.who}`, count.orders + before]),
        );
        const judge = velocity.judge(after);
        const seen = new Map<number, number>();
        for (const [index, customer] of customers.entries()) {
          const place = (seen.get(customer) ?? before) + 1;
          seen.set(customer, place);
          const codesFound = judge(keys[index] ?? {}).map(({ code }) => code);
          expect(codesFound.includes('velocity-customer')).toBe(place > settings.customerOrdersMax);
        }
      }),
    );
  });

  test('counts a customer and a card that have the same name apart, and each window of order time apart', () => {
    const velocity = new VelocityTurn(settings);
    const order = testOrder({ customerId: 'same', payment: { method: 'card', token: 'same' } });
    for (const at of [0, 599_999, 600_000]) velocity.add(order, at);
    expect(velocity.counts.map(({ windowStart, orders }) => [windowStart, orders])).toEqual([
      [0, 2],
      [0, 2],
      [600, 1],
      [600, 1],
    ]);
  });

  test('does not count what has no customer and no card', () => {
    const velocity = new VelocityTurn(settings);
    expect(velocity.add(testOrder({ payment: { method: 'cash' } }), 0)).toEqual({});
    expect(velocity.counts).toEqual([]);
  });
});

describe('canonicalOrder', () => {
  test('gives one form to what has one fingerprint', () => {
    const order = testOrder({
      customerId: 'c-1',
      items: [
        { sku: 'burger', quantity: 1, unitPrice: 599, modifiers: [{ sku: 'cheese', unitPrice: 50 }], note: 'n' },
        { sku: 'fries', quantity: 1, unitPrice: 249 },
      ],
    });
    const otherNotation: Order = JSON.parse(
      JSON.stringify({
        ...Object.fromEntries(Object.entries(order).reverse()),
        items: [
          {
            note: 'n',
            modifiers: [{ quantity: 1, unitPrice: 50, sku: 'cheese' }],
            unitPrice: 599,
            quantity: 1,
            sku: 'burger',
          },
          { sku: 'fries', modifiers: [], quantity: 1, unitPrice: 249 },
        ],
      }),
    );
    expect(orderFingerprint(otherNotation)).toBe(orderFingerprint(order));
    expect(JSON.stringify(canonicalOrder(otherNotation))).toBe(JSON.stringify(canonicalOrder(order)));
    expect(orderFingerprint(canonicalOrder(order))).toBe(orderFingerprint(order));
  });
});
