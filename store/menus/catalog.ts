// Reads the versions of the menu. Called by the order-validator; `readPositions` also by a restore from the log.

import type { MenuItem } from '../../contracts/order/menu.ts';
import type { Database, Transaction } from '../database/database.ts';

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
  /** For a combo: the price within it of each SKU that it may contain. */
  parts?: ReadonlyMap<string, number>;
}

/** One version of the menu in memory. `positions` has the index of a SKU in a store's shelf. */
export interface Catalog {
  version: number;
  stores: ReadonlyMap<string, CatalogStore>;
  items: ReadonlyMap<string, CatalogItem>;
  positions: ReadonlyMap<string, number>;
}

/** Which version is in force when: ordered by time. Of two with the same time the last is in force. */
export interface MenuTimeline {
  /** As `menuVersion` returned it when the timeline was read. */
  loads: number;
  versions: readonly { version: number; effectiveAtMs: number }[];
}

/** The number of loads so far, 0 without a menu. While it stays the same, nothing of the menu has changed. */
export async function menuVersion(sql: Database | Transaction): Promise<number> {
  const [row] = await sql<{ version: string }[]>`select version from menu_state`;
  return Number(row?.version ?? 0);
}

/** Reads which versions there are, in one statement. */
export async function readTimeline(sql: Database | Transaction): Promise<MenuTimeline> {
  const [row] = await sql<{ loads: number; versions: [version: number, effectiveAtMs: number][] }[]>`
    select version::float8 as loads,
      (select coalesce(json_agg(json_build_array(version, extract(epoch from effective_at) * 1000) order by effective_at, version), '[]')
        from menu_versions) as versions
    from menu_state`;
  if (row === undefined) throw new Error('menu_state has no row: the schema was not migrated');
  const versions = row.versions.map(([version, effectiveAtMs]) => ({ version, effectiveAtMs }));
  return { loads: row.loads, versions };
}

/** The version in force at an instant; the oldest one for an instant before all versions. */
export function versionAt({ versions }: MenuTimeline, atMs: number): number {
  const found = versions.findLast(({ effectiveAtMs }) => effectiveAtMs <= atMs) ?? versions[0];
  if (found === undefined) throw new Error('the timeline of the menu is empty');
  return found.version;
}

/** Reads one whole version: its items, and its stores with those of the versions before that it does not name. */
export async function readCatalog(sql: Database | Transaction, version: number): Promise<Catalog> {
  const [row] = await sql<CatalogRow[]>`
    select
      (select json_agg(json_build_array(item->>'sku', item->'price', item->'modifiers', item->'parts'))
        from json_array_elements(v.items) as item) as items,
      (select coalesce(json_agg(store), '[]') from (
        select distinct on (store->>'storeId') store
        from menu_versions earlier, json_array_elements(earlier.stores) as store
        where (earlier.effective_at, earlier.version) <= (v.effective_at, v.version)
        order by store->>'storeId', earlier.effective_at desc, earlier.version desc
      ) as newest) as stores,
      (select coalesce(json_agg(json_build_array(sku, position - 1)), '[]') from stock_positions) as positions
    from menu_versions v where v.version = ${version}`;
  if (row === undefined) throw new Error(`version ${version} of the menu was removed`);
  return {
    version,
    items: new Map(
      (row.items ?? []).map(([sku, price, modifiers, parts]) => [
        sku,
        { price, modifiers: prices(modifiers), ...(parts === null ? {} : { parts: prices(parts) }) },
      ]),
    ),
    stores: new Map(
      row.stores.map(({ storeId, timezone, opens, closes, currency }) => [
        storeId,
        { timezone, opens, closes, currency },
      ]),
    ),
    positions: new Map(row.positions),
  };
}

interface CatalogRow {
  items:
    | [sku: string, price: number, modifiers: MenuItem['modifiers'], parts: NonNullable<MenuItem['parts']> | null][]
    | null;
  stores: (CatalogStore & { storeId: string })[];
  positions: [sku: string, index: number][];
}

/** The index of each SKU in a store's shelf, of all versions. */
export async function readPositions(sql: Database | Transaction): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ sku: string; index: number }[]>`select sku, position - 1 as index from stock_positions`;
  return new Map(rows.map(({ sku, index }) => [sku, index]));
}

function prices(extras: readonly { sku: string; price: number }[]): Map<string, number> {
  return new Map(extras.map(({ sku, price }) => [sku, price]));
}
