// The menu of one store at an instant, and what the events of menus say. Called by the gateway and `ordermesh menu`.

import type { UnavailableItem } from '../../contracts/menu/availability.ts';
import type { MenuChanged } from '../../contracts/menu/menu-events.ts';
import type { StoreMenu } from '../../contracts/menu/store-menu.ts';
import type { Database } from '../database/database.ts';

type StoreMenuRow = Omit<StoreMenu, 'effectiveAt' | 'until' | 'opens' | 'closes' | 'unavailable'> & {
  effectiveAt: Date;
  until: Date | null;
  opens: number;
  closes: number;
  unavailable: OutageRow[];
};

/** @returns `undefined` for a store that no version names that is in force then */
export async function readStoreMenu(sql: Database, storeId: string, at?: Date): Promise<StoreMenu | undefined> {
  // One statement sees one state of the database. Before the first version the first one counts, as in `versionAt`.
  const [row] = await sql<StoreMenuRow[]>`
    with v as (
      select version, effective_at, items from menu_versions where version = coalesce(
        (select version from menu_versions where effective_at <= coalesce(${at ?? null}::timestamptz, now())
          order by effective_at desc, version desc limit 1),
        (select version from menu_versions order by effective_at, version limit 1))
    )
    select v.version::float8 as version, (select version::float8 from menu_state) as "menuVersion",
      coalesce((select revision from store_menu_state where store_id = ${storeId}), 0)::float8 as revision, v.effective_at as "effectiveAt", v.items,
      (select min(effective_at) from menu_versions later where later.effective_at > v.effective_at) as until,
      store->>'storeId' as "storeId", store->>'name' as name, store->>'timezone' as timezone,
      (store->>'opens')::integer as opens, (store->>'closes')::integer as closes, store->>'currency' as currency,
      (select coalesce(json_agg(json_build_object('sku', sku, 'since', began_at, 'reason', reason) order by sku), '[]')
        from menu_outages where store_id = ${storeId} and ended_at is null) as unavailable
    from v, lateral (
      select store from menu_versions earlier, json_array_elements(earlier.stores) as store
      where (earlier.effective_at, earlier.version) <= (v.effective_at, v.version) and store->>'storeId' = ${storeId}
      order by earlier.effective_at desc, earlier.version desc limit 1
    ) as named`;
  if (row === undefined) return undefined;
  const {
    version,
    menuVersion,
    revision,
    effectiveAt,
    until,
    name,
    timezone,
    opens,
    closes,
    currency,
    items,
    unavailable,
  } = row;
  return {
    storeId,
    version,
    menuVersion,
    revision,
    effectiveAt: effectiveAt.toISOString(),
    ...(until === null ? {} : { until: until.toISOString() }),
    name,
    timezone,
    opens: timeOfDay(opens),
    closes: timeOfDay(closes),
    currency,
    items,
    unavailable: unavailable.map(unavailableItem),
  };
}

/** What events say of stores: the state of one store now, or of all. One statement sees one state of the database. */
export async function readMenuStates(sql: Database, storeId?: string): Promise<Omit<MenuChanged, 'occurredAt'>[]> {
  const rows = await sql<MenuStateRow[]>`
    select s.store_id as "storeId", m.version::float8 as "menuVersion", coalesce(revision, 0)::float8 as revision,
      coalesce((
        select json_agg(json_build_object('sku', sku, 'since', began_at, 'reason', reason) order by sku)
        from menu_outages o where o.store_id = s.store_id and ended_at is null), '[]') as unavailable
    from stores s cross join menu_state m left join store_menu_state using (store_id)
    where ${storeId ?? null}::text is null or s.store_id = ${storeId ?? null}
    order by s.store_id`;
  return rows.map((row) => ({ ...row, unavailable: row.unavailable.map(unavailableItem) }));
}

interface MenuStateRow {
  storeId: string;
  menuVersion: number;
  revision: number;
  unavailable: OutageRow[];
}

interface OutageRow {
  sku: string;
  since: string;
  reason: string | null;
}

function unavailableItem({ sku, since, reason }: OutageRow): UnavailableItem {
  return { sku, since: new Date(since).toISOString(), ...(reason === null ? {} : { reason }) };
}

function timeOfDay(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}
