import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MenuError } from '../../contracts/order/menu.ts';
import { type Catalog, menuVersion, readCatalog, readTimeline, versionAt } from '../../store/menus/catalog.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { lockShelves, writeShelves } from '../../store/orders/stock.ts';
import { testMenu } from '../actors/support.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.sql`truncate stores, store_stock, store_stock_loaded, stock_positions, menu_items, menu_versions`;
});

/** The menu that is in force now, or at another instant. */
async function catalogAt(atMs = Date.now()): Promise<Catalog> {
  return readCatalog(database.sql, versionAt(await readTimeline(database.sql), atMs));
}

const inventory = (storeId: string) =>
  database.sql`select sku, loaded::int, on_hand from inventory where store_id = ${storeId} order by sku`;

async function take(storeId: string, index: number, amount: number): Promise<void> {
  await database.sql.begin(async (sql) => {
    const shelves = await lockShelves(sql, [storeId]);
    const shelf = shelves.get(storeId) ?? new Int32Array();
    shelf[index] = (shelf[index] ?? 0) - amount;
    await writeShelves(sql, shelves);
  });
}

describe('loadMenu', () => {
  test('makes a catalog that knows prices, stores and stock', async () => {
    const before = await menuVersion(database.sql);
    const loaded = await loadMenu(database.sql, testMenu());
    expect(loaded).toEqual({
      version: before + 1,
      effectiveAt: expect.stringMatching(/Z$/),
      items: 3,
      stores: 2,
      skus: 4,
    });
    const catalog = await catalogAt();
    expect(catalog.version).toBe(before + 1);
    expect(catalog.items.get('burger')).toEqual({ price: 599, modifiers: new Map([['cheese', 50]]) });
    expect(catalog.stores.get('us-il-0002')).toEqual({
      timezone: 'America/Chicago',
      opens: 360,
      closes: 1_380,
      currency: 'USD',
    });
    expect([...catalog.positions.values()].sort()).toEqual([0, 1, 2, 3]);
    expect(await inventory('us-il-0002')).toEqual(
      ['burger', 'cheese', 'fries', 'shake'].map((sku) => ({ sku, loaded: 1_000, on_hand: 1_000 })),
    );
  });

  test('keeps the stock there is, gives new SKUs and stores theirs, and keeps positions', async () => {
    await loadMenu(database.sql, testMenu());
    const { positions } = await catalogAt();
    await take('us-il-0001', positions.get('fries') ?? -1, 7);
    const menu = testMenu();
    menu.stock = { default: 50, overrides: [{ storeId: 'us-il-0001', sku: 'apple', onHand: 5 }] };
    menu.items = menu.items.filter((item) => item.sku !== 'shake');
    menu.items.push({ sku: 'apple', name: 'Apple', category: 'sides', price: 100, modifiers: [] });
    menu.stores.push({ storeId: 'us-il-0003', name: 'New', timezone: 'UTC', opens: '00:00', closes: '00:00' });
    await loadMenu(database.sql, menu);

    const catalog = await catalogAt();
    for (const [sku, position] of positions) expect(catalog.positions.get(sku)).toBe(position);
    expect([...catalog.items.keys()].sort()).toEqual(['apple', 'burger', 'fries']);
    expect(await inventory('us-il-0001')).toEqual([
      { sku: 'apple', loaded: 5, on_hand: 5 },
      { sku: 'burger', loaded: 1_000, on_hand: 1_000 },
      { sku: 'cheese', loaded: 1_000, on_hand: 1_000 },
      { sku: 'fries', loaded: 1_000, on_hand: 993 },
      { sku: 'shake', loaded: 1_000, on_hand: 1_000 },
    ]);
    expect(await inventory('us-il-0003')).toEqual([
      { sku: 'apple', loaded: 50, on_hand: 50 },
      { sku: 'burger', loaded: 50, on_hand: 50 },
      { sku: 'cheese', loaded: 50, on_hand: 50 },
      { sku: 'fries', loaded: 50, on_hand: 50 },
      { sku: 'shake', loaded: 0, on_hand: 0 },
    ]);
  });

  test('sets the stock on a reset, and the books still say what was taken', async () => {
    await loadMenu(database.sql, testMenu());
    const { positions } = await catalogAt();
    await take('us-il-0001', positions.get('burger') ?? -1, 10);
    await loadMenu(database.sql, testMenu({ stock: { default: 3 } }), { reset: true });
    const [burger] = await inventory('us-il-0001');
    expect(burger).toEqual({ sku: 'burger', loaded: 13, on_hand: 3 });
  });

  test('refuses to take more than there is, whatever the code above it does', async () => {
    await loadMenu(database.sql, testMenu());
    await expect(take('us-il-0001', 0, 1_001)).rejects.toMatchObject({ code: '23514' });
  });

  test('loads nothing of a menu with faults, and names them all', async () => {
    const version = await menuVersion(database.sql);
    const [item] = testMenu().items;
    const menu = {
      ...testMenu(),
      items: [item, item],
      stores: [{ storeId: 'us-il-0001', name: 'X', timezone: 'Mars/Base', opens: '06:00', closes: '23:00' }],
      stock: { default: 1, overrides: [{ sku: 'gold', onHand: 1 }] },
    };
    const error = await loadMenu(database.sql, menu).catch((caught) => caught);
    expect(error).toBeInstanceOf(MenuError);
    expect(error.errors).toEqual([
      { pointer: '/items/1/sku', detail: 'burger is on the menu twice' },
      { pointer: '/stores/0/timezone', detail: 'Mars/Base is not an IANA time zone' },
      { pointer: '/stock/overrides/0/sku', detail: 'gold is not on the menu' },
    ]);
    await expect(loadMenu(database.sql, { items: [] })).rejects.toThrow('/currency is required');
    expect(await menuVersion(database.sql)).toBe(version);
  });
});

/** The test's menu with another price of the burger. */
function priced(price: number) {
  const menu = testMenu();
  for (const item of menu.items) if (item.sku === 'burger') item.price = price;
  return menu;
}

const burgerAt = async (atMs: number) => (await catalogAt(atMs)).items.get('burger')?.price;
const hoursFromNow = (hours: number) => new Date(Date.now() + hours * 3_600_000);
const versions = () => database.sql<{ version: string }[]>`select version from menu_versions order by version`;

describe('versions of the menu', () => {
  test('are in force from their time until that of the next', async () => {
    await loadMenu(database.sql, priced(100), { effectiveAt: hoursFromNow(-3) });
    await loadMenu(database.sql, priced(300), { effectiveAt: hoursFromNow(2) });
    await loadMenu(database.sql, priced(200), { effectiveAt: hoursFromNow(-1) });
    const prices = [-5, -2, -0.5, 1, 3].map((hours) => burgerAt(hoursFromNow(hours).getTime()));
    expect(await Promise.all(prices)).toEqual([100, 100, 200, 200, 300]);
  });

  test('are replaced by one with the same time', async () => {
    const effectiveAt = hoursFromNow(2);
    await loadMenu(database.sql, priced(100));
    await loadMenu(database.sql, priced(200), { effectiveAt });
    await loadMenu(database.sql, priced(300), { effectiveAt });
    expect(await burgerAt(effectiveAt.getTime())).toBe(300);
    expect(await versions()).toHaveLength(2);
  });

  test('leave when no order of the window needs them, and the next has their stores', async () => {
    const first = priced(100);
    first.stores.push({ storeId: 'us-il-0003', name: 'Old', timezone: 'UTC', opens: '01:00', closes: '02:00' });
    await loadMenu(database.sql, first, { effectiveAt: hoursFromNow(-50) });
    await loadMenu(database.sql, priced(200), { effectiveAt: hoursFromNow(-30) });
    expect(await versions()).toHaveLength(1);
    await loadMenu(database.sql, priced(300), { effectiveAt: hoursFromNow(-10) });
    await loadMenu(database.sql, priced(400), { effectiveAt: hoursFromNow(10) });
    expect(await versions()).toHaveLength(3);
    expect(await burgerAt(hoursFromNow(-40).getTime())).toBe(200);
    expect((await catalogAt()).stores.get('us-il-0003')).toMatchObject({ timezone: 'UTC', opens: 60, closes: 120 });
  });

  test('have the hours of a store that were valid then', async () => {
    const later = testMenu();
    for (const store of later.stores) store.opens = '09:00';
    later.stores = later.stores.filter(({ storeId }) => storeId === 'us-il-0001');
    await loadMenu(database.sql, testMenu());
    await loadMenu(database.sql, later, { effectiveAt: hoursFromNow(5) });
    const opensAt = async (storeId: string, hours: number) =>
      (await catalogAt(hoursFromNow(hours).getTime())).stores.get(storeId)?.opens;
    expect(await Promise.all([opensAt('us-il-0001', 1), opensAt('us-il-0001', 6)])).toEqual([360, 540]);
    expect(await opensAt('us-il-0002', 6)).toBe(360);
  });

  test('keep the position and the stock of an item that is gone, also on a reset', async () => {
    await loadMenu(database.sql, testMenu());
    const { positions } = await catalogAt();
    await take('us-il-0001', positions.get('shake') ?? -1, 4);
    const items = testMenu().items.filter((item) => item.sku !== 'shake');
    await loadMenu(database.sql, testMenu({ items, stock: { default: 3 } }), { reset: true });
    expect((await catalogAt()).positions.get('shake')).toBe(positions.get('shake'));
    expect(await inventory('us-il-0001')).toContainEqual({ sku: 'shake', loaded: 1_000, on_hand: 996 });
  });

  test('include what the previous release loads', async () => {
    await loadMenu(database.sql, testMenu());
    await database.sql.begin(async (sql) => {
      await sql`update menu_state set version = version + 1`;
      await sql`delete from menu_items`;
      await sql`insert into menu_items values ('tea', 'Tea', 'drinks', null, 120, '[]')`;
    });
    const catalog = await catalogAt();
    expect([...catalog.items]).toEqual([['tea', { price: 120, modifiers: new Map() }]]);
    expect([...catalog.stores.keys()].sort()).toEqual(['us-il-0001', 'us-il-0002']);
  });

  test('have the parts of a combo, which are items', async () => {
    const combo = { sku: 'combo', name: 'Combo', category: 'combos', price: 900, modifiers: [] };
    const menu = testMenu();
    menu.items.push({
      ...combo,
      parts: [
        { sku: 'burger', price: 0 },
        { sku: 'shake', price: 50 },
      ],
    });
    await loadMenu(database.sql, menu);
    expect((await catalogAt()).items.get('combo')?.parts).toEqual(
      new Map([
        ['burger', 0],
        ['shake', 50],
      ]),
    );
    menu.items.push({
      ...combo,
      sku: 'wrong',
      parts: [
        { sku: 'cheese', price: 0 },
        { sku: 'wrong', price: 0 },
      ],
    });
    await expect(loadMenu(database.sql, menu)).rejects.toMatchObject({
      errors: [
        { pointer: '/items/4/parts/0/sku', detail: 'cheese is a part of wrong and no item of the menu' },
        { pointer: '/items/4/parts/1/sku', detail: 'wrong cannot be a part of itself' },
      ],
    });
  });
});
