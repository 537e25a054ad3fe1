import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderKey } from '../../gateway/orders/order-key.ts';
import { RecentOrders } from '../../gateway/orders/recent-orders.ts';

function window(ordersMax = 100, ageMs = 60_000) {
  const clock = { time: 1_000, now: () => clock.time };
  return { clock, recent: new RecentOrders<string>({ ordersMax, ageMs, clock }) };
}

const uuid = (n: number) => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const id = (n: number) => orderKey(uuid(n));
/** 53 bits, as `ContentHash` makes them. */
const print = (n: number) => (n * 0x1f_ffff_ffff + n) % Number.MAX_SAFE_INTEGER;

test('an order is in flight, then accepted', () => {
  const { recent, clock } = window();
  const order = recent.begin(id(1), 'us-il-0001', print(1));
  order.waiters = ['w'];
  expect(recent.get(id(1))).toBe(order);
  clock.time = 1_005;
  recent.accepted(order);
  expect(recent.get(id(1))).toEqual({ storeId: 'us-il-0001', content: print(1), acceptedAt: 1_005 });
});

test('a failed order is forgotten, so that the next one is appended', () => {
  const { recent } = window();
  const order = recent.begin(id(1), 's', print(1));
  recent.failed(order);
  expect(recent.get(id(1))).toBeUndefined();
});

test('the nil UUID is an orderId like any other', () => {
  const { recent } = window();
  const nil = orderKey('00000000-0000-0000-0000-000000000000');
  expect(recent.get(nil)).toBeUndefined();
  recent.accepted(recent.begin(nil, 's', print(0)));
  expect(recent.get(nil)?.content).toBe(print(0));
});

test('holds at most its bound, knows the younger half of it, and never mixes orders up', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 20 }),
      fc.array(fc.oneof(fc.nat(60), fc.uuid()), { maxLength: 200 }),
      (ordersMax, keys) => {
        const { recent, clock } = window(ordersMax);
        const written = new Map<string, { content: number; acceptedAt: number; storeId: string }>();
        const order: string[] = [];
        for (const [n, key] of keys.entries()) {
          const orderId = typeof key === 'number' ? uuid(key) : key;
          clock.time++;
          const storeId = `store-${n % 7}`;
          recent.accepted(recent.begin(orderKey(orderId), storeId, print(n)));
          written.set(orderId, { content: print(n), acceptedAt: clock.time, storeId });
          order.push(orderId);
          expect(recent.size).toBeLessThanOrEqual(ordersMax);
          for (const known of order.slice(-Math.floor(ordersMax / 2)))
            expect(recent.get(orderKey(known))).toEqual(written.get(known));
          for (const orderId of written.keys())
            expect([undefined, written.get(orderId)]).toContainEqual(recent.get(orderKey(orderId)));
        }
      },
    ),
  );
});

test('an order lives at least half of the age and at most the whole', () => {
  const { recent, clock } = window();
  clock.time = 30_000;
  recent.accepted(recent.begin(id(1), 's', print(1)));
  clock.time = 60_000;
  expect(recent.get(id(1))).toBeDefined();
  clock.time = 91_000;
  expect(recent.get(id(1))).toBeUndefined();
});

test('after a long quiet time everything is forgotten at once', () => {
  const { recent, clock } = window();
  recent.accepted(recent.begin(id(1), 's', print(1)));
  clock.time += 120_000;
  expect(recent.get(id(1))).toBeUndefined();
  expect(recent.size).toBe(0);
});

test('a clock that is put back makes nothing live longer than the age', () => {
  const { recent, clock } = window();
  clock.time = 3_600_000;
  recent.accepted(recent.begin(id(1), 's', print(1)));
  clock.time = 10_000;
  expect(recent.get(id(1))).toBeDefined();
  clock.time = 71_000;
  expect(recent.get(id(1))).toBeUndefined();
});
