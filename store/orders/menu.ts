// Loads and reads the menu. Called by `ordermesh menu load`, by stack/system/ and by the order-validator.

import { type Menu, type MenuItem, parseMenu, stockedSkus } from '../../contracts/order/menu.ts';
import { type Database, inTransaction, type Transaction } from '../database/database.ts';

/** A store as the rules need it. Times are minutes after local midnight. */
export interface CatalogStore {
  timezone: string;
  opens: number;
  closes: number;
  currency: string;
}

export interface CatalogItem {
  price: number;
  /** Price by modifier SKU. */
  modifiers: ReadonlyMap<string, number>;
}

/** The menu in memory. `positions` has the index of a SKU in a store's shelf. */
export interface Catalog {
  version: number;
  stores: ReadonlyMap<string, CatalogStore>;
  items: ReadonlyMap<string, CatalogItem>;
  positions: ReadonlyMap<string, number>;
}

export interface LoadedMenu {
  version: number;
  items: number;
  stores: number;
  /** Stocked SKUs per store. */
  skus: number;
}

/** The version of the menu; each load raises it. */
export async function menuVersion(sql: Database | Transaction): Promise<number> {
  const [row] = await sql<{ version: string }[]>`select version from menu_state`;
  return Number(row?.version ?? 0);
}

/** Reads the whole menu in one statement, so that all of it has one version. */
export async function readCatalog(sql: Database | Transaction): Promise<Catalog> {
  const [row] = await sql<CatalogRow[]>`
    select version::float8 as version,
      (select coalesce(json_agg(json_build_array(sku, price, modifiers)), '[]') from menu_items) as items,
      (select coalesce(json_agg(json_build_array(store_id, timezone, opens, closes, currency)), '[]') from stores) as stores,
      (select coalesce(json_agg(json_build_array(sku, position - 1)), '[]') from stock_positions) as positions
    from menu_state`;
  if (row === undefined) throw new Error('menu_state has no row: the schema was not migrated');
  return {
    version: row.version,
    items: new Map(
      row.items.map(([sku, price, modifiers]) => [
        sku,
        { price, modifiers: new Map(modifiers.map((modifier) => [modifier.sku, modifier.price])) },
      ]),
    ),
    stores: new Map(
      row.stores.map(([storeId, timezone, opens, closes, currency]) => [
        storeId,
        { timezone, opens, closes, currency },
      ]),
    ),
    positions: new Map(row.positions),
  };
}

interface CatalogRow {
  version: number;
  items: [sku: string, price: number, modifiers: MenuItem['modifiers']][];
  stores: [storeId: string, timezone: string, opens: number, closes: number, currency: string][];
  positions: [sku: string, index: number][];
}

/**
 * Loads a menu file: the items become exactly those of the file, its stores are added or changed, and every store has stock of every SKU.
 * Stock that a store already has stays as it is unless `reset` is set. Validators use the new menu from their next turn on.
 * @param document the parsed JSON of the file
 * @throws MenuError when the document is not a menu; nothing is changed then
 */
export async function loadMenu(
  database: Database,
  document: unknown,
  options: { reset?: boolean } = {},
): Promise<LoadedMenu> {
  const menu = parseMenu(document);
  const skus = [...stockedSkus(menu)].sort();
  return inTransaction(database, async (sql) => {
    // Two loads exclude each other by the row of the version; turns only read it.
    const [row] = await sql<{ version: string }[]>`update menu_state set version = version + 1 returning version`;
    await writeItems(sql, menu);
    await writeStores(sql, menu);
    await writePositions(sql, skus);
    await writeStock(sql, menu, options.reset ?? false);
    return { version: Number(row?.version), items: menu.items.length, stores: menu.stores.length, skus: skus.length };
  });
}

async function writeItems(sql: Transaction, { items }: Menu): Promise<void> {
  await sql`delete from menu_items`;
  const rows = items.map(({ sku, name, category, station, price, modifiers }) => ({
    sku,
    name,
    category,
    station: station ?? null,
    price,
    modifiers,
  }));
  await sql`
    insert into menu_items (sku, name, category, station, price, modifiers)
    select sku, name, category, station, price, modifiers
    from jsonb_populate_recordset(null::menu_items, ${sql.json(rows)})`;
}

async function writeStores(sql: Transaction, menu: Menu): Promise<void> {
  const rows = menu.stores.map((store) => ({
    store_id: store.storeId,
    name: store.name,
    timezone: store.timezone,
    opens: minuteOfDay(store.opens),
    closes: minuteOfDay(store.closes),
    currency: store.currency ?? menu.currency,
  }));
  await sql`
    insert into stores (store_id, name, timezone, opens, closes, currency)
    select store_id, name, timezone, opens, closes, currency
    from jsonb_populate_recordset(null::stores, ${sql.json(rows)})
    on conflict (store_id) do update set name = excluded.name, timezone = excluded.timezone, opens = excluded.opens,
      closes = excluded.closes, currency = excluded.currency`;
}

async function writePositions(sql: Transaction, skus: string[]): Promise<void> {
  await sql`
    insert into stock_positions (sku, position)
    select sku, (select coalesce(max(position), 0) from stock_positions) + row_number() over (order by sku)
    from unnest(${skus}::text[]) as sku
    where sku not in (select sku from stock_positions)`;
}

/**
 * Gives every store in the database a shelf for every position. A SKU that is new to a store starts with the stock in the file. What a
 * reset takes away or adds is booked in `loaded`, so that the books still balance.
 */
async function writeStock(sql: Transaction, menu: Menu, reset: boolean): Promise<void> {
  const positions = new Map(
    (await sql<{ sku: string; position: number }[]>`select sku, position from stock_positions`).map((row) => [
      row.sku,
      row.position,
    ]),
  );
  const shelves = await sql<{ storeId: string; onHand: number[] | null; loaded: string[] | null }[]>`
    select store_id as "storeId", on_hand as "onHand", loaded
    from stores left join store_stock using (store_id) left join store_stock_loaded using (store_id)
    order by store_id`;
  // Locked after the join, in the order in which turns lock them.
  const current = new Map(
    (
      await sql<{ storeId: string; onHand: number[] }[]>`
        select store_id as "storeId", on_hand as "onHand" from store_stock order by store_id for update`
    ).map((row) => [row.storeId, row.onHand]),
  );
  const ofFile = new Set(menu.stores.map((store) => store.storeId));
  const storeIds: string[] = [];
  const onHands: string[] = [];
  const loadeds: string[] = [];
  for (const { storeId, loaded } of shelves) {
    const before = current.get(storeId) ?? [];
    const start = startingStock(menu, storeId, positions);
    const after = start.map((amount, index) => (reset && ofFile.has(storeId) ? amount : (before[index] ?? amount)));
    storeIds.push(storeId);
    onHands.push(`{${after.join()}}`);
    loadeds.push(
      `{${after.map((amount, index) => Number(loaded?.[index] ?? 0) + amount - (before[index] ?? 0)).join()}}`,
    );
  }
  await sql`
    insert into store_stock (store_id, on_hand)
    select store_id, on_hand::integer[] from unnest(${storeIds}::text[], ${onHands}::text[]) as t(store_id, on_hand)
    on conflict (store_id) do update set on_hand = excluded.on_hand`;
  await sql`
    insert into store_stock_loaded (store_id, loaded)
    select store_id, loaded::bigint[] from unnest(${storeIds}::text[], ${loadeds}::text[]) as t(store_id, loaded)
    on conflict (store_id) do update set loaded = excluded.loaded`;
}

/** One amount per position; 0 for a SKU that is not on the menu any more. */
function startingStock(menu: Menu, storeId: string, positions: ReadonlyMap<string, number>): number[] {
  const stock = new Array<number>(positions.size).fill(0);
  const put = (sku: string, amount: number) => {
    const position = positions.get(sku);
    if (position !== undefined) stock[position - 1] = amount;
  };
  for (const sku of stockedSkus(menu)) put(sku, menu.stock.default);
  for (const override of menu.stock.overrides ?? []) {
    if (override.storeId === undefined || override.storeId === storeId) put(override.sku, override.onHand);
  }
  return stock;
}

function minuteOfDay(time: string): number {
  const [hours, minutes] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}
