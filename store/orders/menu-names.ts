import type { Database, Transaction } from '../database/database.ts';

/** The names that people see, by SKU and store id. */
export interface MenuNames {
  items: ReadonlyMap<string, string>;
  modifiers: ReadonlyMap<string, string>;
  stores: ReadonlyMap<string, string>;
}

/** Reads the names of all versions of the menu and of the stores, for screens. Of two names the newest counts. */
export async function readMenuNames(sql: Database | Transaction): Promise<MenuNames> {
  const [items, modifiers, stores] = await Promise.all([
    sql<{ key: string; name: string }[]>`
      select distinct on (key) item->>'sku' as key, item->>'name' as name
      from menu_versions, json_array_elements(items) as item order by key, effective_at desc, version desc`,
    sql<{ key: string; name: string }[]>`
      select distinct on (key) modifier->>'sku' as key, modifier->>'name' as name
      from menu_versions, json_array_elements(items) as item, json_array_elements(item->'modifiers') as modifier
      order by key, effective_at desc, version desc, item->>'sku'`,
    sql<{ key: string; name: string }[]>`select store_id as key, name from stores`,
  ]);
  return { items: toMap(items), modifiers: toMap(modifiers), stores: toMap(stores) };
}

/** Whether the store is on the menu. */
export async function isStoreOnMenu(sql: Database | Transaction, storeId: string): Promise<boolean> {
  const rows = await sql`select 1 from stores where store_id = ${storeId}`;
  return rows.length > 0;
}

function toMap(rows: readonly { key: string; name: string }[]): Map<string, string> {
  return new Map(rows.map(({ key, name }) => [key, name]));
}
