import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createActor } from '../../actors/order-validator/actor.ts';
import type { Availability } from '../../contracts/menu/availability.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { Message } from '../../runtime/actor.ts';
import { changeAvailability, unavailableItems } from '../../store/menus/availability.ts';
import { auditDatabase } from '../../store/orders/audit.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { codesOf, event, testMenu, testMessage, testOrder, turn } from './support.ts';

const settings = {
  windowSeconds: 600,
  customerOrdersMax: 99,
  cardOrdersMax: 99,
  amountMax: 50_000,
  menuWindowMs: 86_400_000,
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.sql`
    truncate orders, order_conflicts, velocity, store_stock, store_stock_loaded, stock_corrections, menu_versions, menu_outages`;
  await loadMenu(database.sql, openAllDay());
});

const HOUR_MS = 3_600_000;

/** The test's menu in stores that never close, with another price of the burger. */
function openAllDay(price = 599) {
  const menu = testMenu();
  for (const store of menu.stores) store.opens = store.closes;
  for (const item of menu.items) if (item.sku === 'burger') item.price = price;
  return menu;
}

/** An order that was placed some hours ago and accepted now. */
function orderNow(hoursAgo: number, change: Partial<Order>): Message {
  const order = testOrder({ placedAt: new Date(Date.now() - hoursAgo * HOUR_MS).toISOString(), ...change });
  return testMessage(order.orderId, order, { timestamp: Date.now() });
}

const validator = () => createActor({ settings, registry: new Registry() });
const decide = async (...messages: Message[]) => (await turn(database.sql, validator(), messages)).map(codesOf);

async function expectBalancedBooks(): Promise<void> {
  expect((await auditDatabase(database.sql)).faults).toEqual([]);
}

test('uses a new menu from the next turn on', async () => {
  const actor = validator();
  const salad = () =>
    orderNow(0, { items: [{ sku: 'salad', quantity: 1, unitPrice: 700 }], placedAt: new Date().toISOString() });
  const codes = async () => (await turn(database.sql, actor, [salad()])).map(codesOf);
  expect(await codes()).toEqual([['unknown-sku']]);
  const menu = openAllDay();
  menu.items.push({ sku: 'salad', name: 'Salad', category: 'cold', price: 700, modifiers: [] });
  await loadMenu(database.sql, menu);
  expect(await codes()).toEqual([[]]);
});

describe('after a price change while the line of a restaurant was down', () => {
  /** One burger at a price, placed some hours ago and accepted now, when the line is up again. */
  const burger = (hoursAgo: number, unitPrice: number) =>
    orderNow(hoursAgo, { items: [{ sku: 'burger', quantity: 1, unitPrice }] });

  beforeEach(async () => {
    await database.sql`truncate menu_versions`;
    const versions: [hoursAgo: number, price: number][] = [
      [72, 100],
      [30, 200],
      [20, 300],
      [2, 400],
    ];
    for (const [hoursAgo, price] of versions)
      await loadMenu(database.sql, openAllDay(price), { effectiveAt: new Date(Date.now() - hoursAgo * HOUR_MS) });
  });

  test('keeps the sales of before, each at the price of its time', async () => {
    expect(await decide(burger(1, 400), burger(3, 300), burger(22, 200), burger(1, 300), burger(3, 400))).toEqual([
      [],
      [],
      [],
      ['wrong-price'],
      ['wrong-price'],
    ]);
    await expectBalancedBooks();
  });

  test('judges orders from before the window by the menu at its beginning', async () => {
    expect(await decide(burger(26, 200), burger(60, 200), burger(60, 100))).toEqual([[], [], ['wrong-price']]);
  });

  test('judges an order of a clock that is fast by the menu of now', async () => {
    const placedAt = new Date(Date.now() + 5 * HOUR_MS).toISOString();
    await loadMenu(database.sql, openAllDay(500), { effectiveAt: new Date(Date.now() + HOUR_MS) });
    const items = [{ sku: 'burger', quantity: 1, unitPrice: 400 }];
    expect(await decide(orderNow(0, { placedAt, items }))).toEqual([[]]);
  });
});

describe('of an item that is 86’d', () => {
  const change = (sku: string, what: Availability, storeId = 'us-il-0001') =>
    changeAvailability(database.sql, { storeId, sku, windowMs: 24 * HOUR_MS, ...what });
  const cheese = { sku: 'cheese', unitPrice: 50 };
  const burger = (placedAt: string, storeId = 'us-il-0001') =>
    orderNow(0, {
      placedAt,
      storeId,
      items: [
        { sku: 'fries', quantity: 1, unitPrice: 249 },
        { sku: 'burger', quantity: 1, unitPrice: 599, modifiers: [cheese] },
      ],
    });
  const later = (instant: string, ms: number) => new Date(Date.parse(instant) + ms).toISOString();

  test('rejects orders placed since then, and not those placed before or after it is back', async () => {
    const { since = '' } = await change('cheese', { available: false, reason: 'sold out' });
    const before = later(since, -1);
    const after = later(since, 1);
    expect(await decide(burger(before), burger(after), burger(after, 'us-il-0002'))).toEqual([[], ['unavailable'], []]);
    const [outputs] = await turn(database.sql, validator(), [burger(after)]);
    expect(event(outputs).value.reasons).toEqual([
      { code: 'unavailable', detail: 'cheese is not available: sold out', pointer: '/items/1' },
    ]);
    await change('cheese', { available: true });
    const [outage] = await database.sql`select ended_at from menu_outages`;
    const back = outage?.ended_at.toISOString();
    expect(await decide(burger(later(back, -1)), burger(later(back, 1)))).toEqual([['unavailable'], []]);
    await expectBalancedBooks();
  });

  test('changes nothing when it is said twice, and tells the new reason', async () => {
    const first = await change('fries', { available: false });
    expect(await change('fries', { available: false })).toEqual(first);
    const again = await change('fries', { available: false, reason: 'fryer broken' });
    expect(again).toEqual({ ...first, reason: 'fryer broken', revision: first.revision + 1 });
    expect(await unavailableItems(database.sql, 'us-il-0001')).toEqual([
      { sku: 'fries', since: first.since, reason: 'fryer broken' },
    ]);
    const back = await change('fries', { available: true });
    expect(await change('fries', { available: true })).toEqual(back);
    expect(back).toMatchObject({ available: true, revision: again.revision + 1 });
  });

  test('keeps the books in balance when a count corrects the stock', async () => {
    const placedAt = () => new Date().toISOString();
    await decide(burger(placedAt()), burger(placedAt()));
    const changeId = randomUUID();
    expect(await change('burger', { onHand: 10, changeId })).toMatchObject({ onHand: 10, available: true });
    await decide(burger(placedAt()));
    const repeated = await change('burger', { onHand: 10, changeId });
    expect(repeated.onHand).toBe(9);
    await expect(change('burger', { onHand: 11, changeId })).rejects.toMatchObject({
      field: { pointer: '/changeId', detail: 'must be new: it belongs to another correction' },
    });
    await change('fries', { onHand: 5_000 });
    await expectBalancedBooks();
    await database.sql`delete from stock_corrections where sku = 'fries'`;
    expect((await auditDatabase(database.sql)).faults).toMatchObject([{ subject: 'us-il-0001' }]);
  });

  test('names a store or SKU that does not exist', async () => {
    await expect(change('burger', { available: false }, 'us-xx-0009')).rejects.toThrow('there is no store us-xx-0009');
    await expect(change('gold', { available: false })).rejects.toThrow('gold is on no menu');
  });

  test('forgets what ended before the window', async () => {
    await database.sql`
      insert into menu_outages values
        ('us-il-0001', 'fries', now() - interval '3 days', now() - interval '2 days'),
        ('us-il-0001', 'fries', now() - interval '1 hour', now() - interval '30 minutes'),
        ('us-il-0001', 'shake', now() - interval '3 days', null)`;
    await change('fries', { available: true });
    expect(await database.sql`select sku from menu_outages order by sku`).toEqual([{ sku: 'fries' }, { sku: 'shake' }]);
  });
});
