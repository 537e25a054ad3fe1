import { expect, test } from 'vitest';
import { RecentOrders } from '../../gateway/recent-orders.ts';

function window() {
  const clock = { time: 1_000, now: () => clock.time };
  return { clock, recent: new RecentOrders<string>({ ordersMax: 100, ageMs: 60_000, clock }) };
}

test('an order is on its way, then accepted, and its waiters are handed out once', () => {
  const { recent, clock } = window();
  const order = recent.begin('o', 's', 'f');
  order.waiters = ['w'];
  expect(recent.get('o')).toMatchObject({ storeId: 's', fingerprint: 'f', acceptedAt: 0 });
  clock.time = 1_005;
  expect(recent.accepted(order)).toEqual(['w']);
  expect(recent.get('o')).toMatchObject({ acceptedAt: 1_005, waiters: undefined });
});

test('a failed order is forgotten, so that the next one is appended', () => {
  const { recent } = window();
  const order = recent.begin('o', 's', 'f');
  expect(recent.failed('o', order)).toBeUndefined();
  expect(recent.get('o')).toBeUndefined();
});

test('the failure of a forgotten order leaves the younger one of its id alone', () => {
  const { recent, clock } = window();
  const first = recent.begin('o', 's', 'f');
  clock.time += 120_000;
  expect(recent.get('o')).toBeUndefined();
  const second = recent.begin('o', 's', 'f');
  recent.failed('o', first);
  expect(recent.get('o')).toBe(second);
});
