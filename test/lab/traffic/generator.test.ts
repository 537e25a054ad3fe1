import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderSchema, orderTotal } from '../../../contracts/order/order.ts';
import { compileValidator } from '../../../contracts/validation.ts';
import { chainMenu, isOpen, localMinute } from '../../../lab/traffic/chain.ts';
import { malformationNames } from '../../../lab/traffic/faults.ts';
import { createTraffic } from '../../../lab/traffic/generator.ts';

const validate = compileValidator(orderSchema);
const noon = Date.parse('2026-11-23T18:00:00Z');
const time = () => fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-01-01') });

test('the chain has 300 stores and a menu of at least 60 items in the usual categories', () => {
  const { stores, items } = chainMenu();
  expect(stores).toHaveLength(300);
  expect(items.length).toBeGreaterThanOrEqual(60);
  expect(new Set(items.map(({ category }) => category))).toEqual(
    new Set(['burgers', 'chicken', 'breakfast', 'sides', 'drinks', 'desserts', 'kids']),
  );
});

test('the same seed and times give the same orders to the byte', () => {
  fc.assert(
    fc.property(fc.nat(), time(), fc.boolean(), (seed, at, realistic) => {
      const [one, other] = [createTraffic({ seed, realistic }), createTraffic({ seed, realistic })];
      for (let index = 0; index < 20; index++) expect(one.order(at + index)).toEqual(other.order(at + index));
    }),
    { numRuns: 30 },
  );
});

test('another seed gives other orders', () => {
  expect(createTraffic({ seed: 1 }).order(noon).body).not.toBe(createTraffic({ seed: 2 }).order(noon).body);
});

test('orders that are not asked to be realistic are valid, at any time of the year', () => {
  const { items: menuItems, stores, stock } = chainMenu();
  const prices = new Map(menuItems.map((item) => [item.sku, item]));
  const scarce = new Set(stock.overrides?.map(({ sku }) => sku));
  fc.assert(
    fc.property(fc.nat(), time(), (seed, at) => {
      const traffic = createTraffic({ seed });
      for (let index = 0; index < 50; index++) {
        const { body, storeId } = traffic.order(at);
        const order = validate(JSON.parse(body));
        if (!order.ok) throw new Error(JSON.stringify(order.errors));
        expect(order.value.total).toBe(orderTotal(order.value));
        expect(order.value.total).toBeLessThanOrEqual(25_000);
        const store = stores.find((candidate) => candidate.storeId === storeId);
        expect(store && isOpen(store, Date.parse(order.value.placedAt))).toBe(true);
        for (const item of order.value.items) {
          expect(item.unitPrice).toBe(prices.get(item.sku)?.price);
          expect(scarce.has(item.sku)).toBe(false);
          for (const modifier of item.modifiers ?? []) {
            const offered = prices.get(item.sku)?.modifiers.find(({ sku }) => sku === modifier.sku);
            expect(modifier.unitPrice).toBe(offered?.price);
          }
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('order ids are UUIDv7 of the time of the order, and none comes twice', () => {
  const traffic = createTraffic({ seed: 5 });
  const ids = Array.from({ length: 5_000 }, () => traffic.order(noon).orderId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(noon);
  }
});

test('no customer and no card comes twice among valid orders, so that no velocity rule is met', () => {
  const traffic = createTraffic({ seed: 6 });
  const orders = Array.from({ length: 5_000 }, () => traffic.order(noon).order);
  const cards = orders.flatMap(({ payment }) => payment.token ?? []);
  const customers = orders.flatMap(({ customerId }) => customerId ?? []);
  expect(new Set(cards).size).toBe(cards.length);
  expect(new Set(customers).size).toBe(customers.length);
});

test('realistic traffic holds returning guests, fraud, scarce items and malformed orders of every kind', () => {
  const traffic = createTraffic({ seed: 8, realistic: true });
  const orders = Array.from({ length: 20_000 }, (_, index) => traffic.order(noon + index * 100));
  const kinds = Map.groupBy(orders, ({ kind }) => kind);
  const share = (...names: string[]) => orders.filter(({ kind }) => names.includes(kind)).length / orders.length;
  expect([...kinds.keys()]).toEqual(
    expect.arrayContaining(['regular', 'card-burst', 'absurd-amount', 'scarce-item', ...malformationNames]),
  );
  expect(share(...malformationNames)).toBeGreaterThan(0.0003);
  expect(share(...malformationNames)).toBeLessThan(0.003);
  expect(share('regular')).toBeGreaterThan(0.95);
  const customers = orders.flatMap(({ order }) => order.customerId ?? []);
  expect(new Set(customers).size).toBeLessThan(customers.length);
  const cards = Map.groupBy(kinds.get('card-burst') ?? [], ({ order }) => order.payment.token);
  expect(Math.max(...[...cards.values()].map(({ length }) => length))).toBeGreaterThanOrEqual(10);
});

test('realistic orders ring up as a till does: taxed, numbered, some tipped, discounted, of combos, with allergies', () => {
  const traffic = createTraffic({ seed: 11, realistic: true });
  const orders = Array.from({ length: 20_000 }, (_, index) => traffic.order(noon + index * 100))
    .filter(({ kind }) => kind === 'regular')
    .map(({ order }) => order);
  for (const order of orders) {
    expect(order.total).toBe(orderTotal(order));
    expect(order.adjustments?.some(({ kind }) => kind === 'tax')).toBe(true);
    expect(validate(order).ok).toBe(true);
  }
  const seen = new Set(orders.flatMap(({ adjustments = [] }) => adjustments.map(({ kind }) => kind)));
  expect(seen).toEqual(new Set(['tax', 'discount', 'tip', 'fee']));
  expect(orders.some(({ guest, fulfilment }) => guest !== undefined && fulfilment?.table !== undefined)).toBe(true);
  const items = orders.flatMap((order) => order.items);
  expect(items.some(({ allergies }) => allergies !== undefined)).toBe(true);
  const combos = items.filter(({ parts }) => parts !== undefined);
  expect(combos.length).toBeGreaterThan(100);
  for (const { parts } of combos) expect(parts).toHaveLength(3);
});

test('a malformed order differs from the order it was made from in its bytes', () => {
  const traffic = createTraffic({ seed: 9, realistic: true });
  const malformed = Array.from({ length: 20_000 }, () => traffic.order(noon)).filter(({ kind }) =>
    (malformationNames as string[]).includes(kind),
  );
  for (const { body, order, kind } of malformed) {
    expect(body, kind).not.toBe(JSON.stringify(order));
    expect(validate(order).ok).toBe(true);
  }
});

test('local time follows the zone through daylight saving', () => {
  const store = { timezone: 'America/New_York' };
  expect(localMinute(store, Date.parse('2026-07-01T12:30:00Z'))).toBe(8 * 60 + 30);
  expect(localMinute(store, Date.parse('2026-12-01T12:30:00Z'))).toBe(7 * 60 + 30);
});

test('a store that closes past midnight is open until then', () => {
  const store = { storeId: 's-1', name: 'S', timezone: 'UTC', opens: '05:00', closes: '01:00' };
  expect(isOpen(store, Date.parse('2026-07-01T00:59:00Z'))).toBe(true);
  expect(isOpen(store, Date.parse('2026-07-01T01:00:00Z'))).toBe(false);
  expect(isOpen(store, Date.parse('2026-07-01T05:00:00Z'))).toBe(true);
});
