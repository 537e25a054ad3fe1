// Adds a version of the menu, removes those that no order needs any more, and lists them. Called by store/orders/menu.ts and cli/menu/.

import type { Menu } from '../../contracts/order/menu.ts';
import type { Database, Transaction } from '../database/database.ts';

/** A store as the tables have it. Times are minutes after local midnight. */
export type StoreRow = {
  storeId: string;
  name: string;
  timezone: string;
  opens: number;
  closes: number;
  currency: string;
};

export interface NewVersion {
  version: number;
  items: Menu['items'];
  stores: readonly StoreRow[];
  /** Now if absent. */
  effectiveAt: Date | undefined;
}

/** Validators hold the list of all versions. So many are loaded in one window only by a program that has gone wrong. */
const VERSIONS_MAX = 500;

/** @returns when it takes effect, and whether it is in force already */
export async function addVersion(
  sql: Transaction,
  { version, items, stores, effectiveAt }: NewVersion,
): Promise<{ effectiveAt: Date; isInForce: boolean }> {
  await sql`
    insert into menu_versions (version, effective_at, items, stores)
    values (${version}, coalesce(${effectiveAt ?? null}::timestamptz, now()), ${sql.json(items)}::json, ${sql.json([...stores])}::json)`;
  const [added] = await sql<{ effectiveAt: Date; isInForce: boolean }[]>`
    select effective_at as "effectiveAt", version = (
      select version from menu_versions where effective_at <= now() order by effective_at desc, version desc limit 1
    ) is true as "isInForce"
    from menu_versions where version = ${version}`;
  if (added === undefined) throw new Error('the new version of the menu is not there');
  return added;
}

/**
 * Removes the versions that were in force only before the window, and those that another one replaced at the same instant. The next
 * version takes over the stores that it does not name itself.
 * @throws Error when too many versions are left
 */
export async function removeUnused(sql: Transaction, windowMs: number): Promise<void> {
  const unused = await sql<{ version: string; next: string }[]>`
    select version, next from (
      select version, effective_at, lead(version) over in_time as next, lead(effective_at) over in_time as ended_at
      from menu_versions window in_time as (order by effective_at, version)
    ) as versions
    where ended_at = effective_at or ended_at <= now() - ${windowMs}::float8 * interval '1 millisecond'
    order by effective_at, version`;
  for (const { version, next } of unused) {
    await sql`
      update menu_versions later set stores = (
        select json_agg(store) from (
          select store from json_array_elements(later.stores) as store
          union all
          select store from menu_versions removed, json_array_elements(removed.stores) as store
          where removed.version = ${version}
            and store->>'storeId' not in (select named->>'storeId' from json_array_elements(later.stores) as named)
        ) as both_stores)
      where later.version = ${next}`;
    await sql`delete from menu_versions where version = ${version}`;
  }
  const [left] = await sql<{ count: number }[]>`select count(*)::int as count from menu_versions`;
  if (left !== undefined && left.count > VERSIONS_MAX)
    throw new Error(
      `there are ${VERSIONS_MAX} versions of the menu within the replay window; load the menu less often, or shorten ORDERMESH_MENU_REPLAY_WINDOW`,
    );
}

export interface ListedVersion {
  version: number;
  /** RFC 3339, as `loadedAt`. */
  effectiveAt: string;
  loadedAt: string;
  items: number;
  inForce: boolean;
}

/** All versions, ordered by the time from which they are in force. Called by `ordermesh menu list`. */
export async function listVersions(sql: Database): Promise<ListedVersion[]> {
  const rows = await sql<{ version: string; effectiveAt: Date; loadedAt: Date; items: number; isPast: boolean }[]>`
    select version, effective_at as "effectiveAt", loaded_at as "loadedAt", json_array_length(items) as items,
      effective_at <= now() as "isPast"
    from menu_versions order by effective_at, version`;
  const inForce = rows.findLast(({ isPast }) => isPast)?.version;
  return rows.map(({ version, effectiveAt, loadedAt, items }) => ({
    version: Number(version),
    effectiveAt: effectiveAt.toISOString(),
    loadedAt: loadedAt.toISOString(),
    items,
    inForce: version === inForce,
  }));
}
