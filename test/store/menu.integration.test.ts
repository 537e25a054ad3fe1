import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MenuError } from '../../contracts/order/menu.ts';
import { loadMenu, menuVersion, readCatalog } from '../../store/orders/menu.ts';
import { lockShelves, writeShelves } from '../../store/orders/stock.ts';
import { testMenu } from '../actors/support.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.sql`truncate stores, store_stock, store_stock_loaded, stock_positions, menu_items`;
});

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
    expect(loaded).toEqual({ version: before + 1, items: 3, stores: 2, skus: 4 });
    const catalog = await readCatalog(database.sql);
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
    const { positions } = await readCatalog(database.sql);
    await take('us-il-0001', positions.get('fries') ?? -1, 7);
    const menu = testMenu();
    menu.stock = { default: 50, overrides: [{ storeId: 'us-il-0001', sku: 'apple', onHand: 5 }] };
    menu.items = menu.items.filter((item) => item.sku !== 'shake');
    menu.items.push({ sku: 'apple', name: 'Apple', category: 'sides', price: 100, modifiers: [] });
    menu.stores.push({ storeId: 'us-il-0003', name: 'New', timezone: 'UTC', opens: '00:00', closes: '00:00' });
    await loadMenu(database.sql, menu);

    const catalog = await readCatalog(database.sql);
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
    const { positions } = await readCatalog(database.sql);
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
