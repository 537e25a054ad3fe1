// Loads a menu file into the database. Called by `ordermesh menu load` and by stack/system/.

import { type Menu, parseMenu, stockedSkus } from '../../contracts/order/menu.ts';
import { type Database, inTransaction, type Transaction } from '../database/database.ts';
import { writeStock } from '../menus/menu-stock.ts';
import { addVersion, removeUnused, type StoreRow } from '../menus/versions.ts';

export interface LoadedMenu {
  version: number;
  /** RFC 3339. */
  effectiveAt: string;
  items: number;
  stores: number;
  /** Stocked SKUs per store. */
  skus: number;
}

export interface LoadOptions {
  /** Sets the stock of every store of the file to that of the file. */
  reset?: boolean;
  /** From when orders are judged by this menu; from now on if absent. */
  effectiveAt?: Date | undefined;
  /** Versions that were in force only before this time are removed (ORDERMESH_MENU_REPLAY_WINDOW); 24 h by default. */
  windowMs?: number;
}

const DAY_MS = 24 * 60 * 60_000;

/**
 * Loads a menu file as a new version: from its time on, the items are exactly those of the file. Its stores are added or changed, and every
 * store has stock of every SKU of any version. Stock that a store already has stays as it is unless `reset` is set. Validators know the
 * new version from their next turn on.
 * @param document the parsed JSON of the file
 * @throws MenuError when the document is not a menu; nothing is changed then
 */
export async function loadMenu(
  database: Database,
  document: unknown,
  { reset = false, effectiveAt, windowMs = DAY_MS }: LoadOptions = {},
): Promise<LoadedMenu> {
  const menu = parseMenu(document);
  const skus = [...stockedSkus(menu)].sort();
  const stores = menu.stores.map((store) => storeRow(store, menu.currency));
  return inTransaction(database, async (sql) => {
    // Two loads exclude each other by the row of the version; turns only read it.
    const [row] = await sql<{ version: string }[]>`update menu_state set version = version + 1 returning version`;
    const version = Number(row?.version);
    const added = await addVersion(sql, { version, items: menu.items, stores, effectiveAt });
    await removeUnused(sql, windowMs);
    if (added.isInForce) await writeItems(sql, menu);
    await writeStores(sql, stores);
    await writePositions(sql, skus);
    await writeStock(sql, menu, reset);
    return {
      version,
      effectiveAt: added.effectiveAt.toISOString(),
      items: menu.items.length,
      stores: stores.length,
      skus: skus.length,
    };
  });
}

function storeRow({ storeId, name, timezone, opens, closes, currency }: Menu['stores'][number], ofMenu: string) {
  return {
    storeId,
    name,
    timezone,
    opens: minuteOfDay(opens),
    closes: minuteOfDay(closes),
    currency: currency ?? ofMenu,
  };
}

/** The validators of the previous release read this table, and know no time. */
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

/** Every store that there ever was: shelves belong to them, whatever version names them. */
async function writeStores(sql: Transaction, stores: readonly StoreRow[]): Promise<void> {
  const rows = stores.map(({ storeId, ...store }) => ({ store_id: storeId, ...store }));
  await sql`
    insert into stores (store_id, name, timezone, opens, closes, currency)
    select store_id, name, timezone, opens, closes, currency
    from jsonb_populate_recordset(null::stores, ${sql.json(rows)})
    on conflict (store_id) do update set name = excluded.name, timezone = excluded.timezone, opens = excluded.opens,
      closes = excluded.closes, currency = excluded.currency`;
}

/** A SKU keeps its position for ever, also while no version has it. */
async function writePositions(sql: Transaction, skus: string[]): Promise<void> {
  await sql`
    insert into stock_positions (sku, position)
    select sku, (select coalesce(max(position), 0) from stock_positions) + row_number() over (order by sku)
    from unnest(${skus}::text[]) as sku
    where sku not in (select sku from stock_positions)`;
}

function minuteOfDay(time: string): number {
  const [hours, minutes] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}
