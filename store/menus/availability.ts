// Whether a store can sell a SKU, and how much of it there is. Called by the gateway, `ordermesh menu` and the order-validator.

import { randomUUID } from 'node:crypto';
import type { Availability, ItemState, UnavailableItem } from '../../contracts/menu/availability.ts';
import type { FieldError } from '../../contracts/validation.ts';
import { type Database, inTransaction, type Transaction } from '../database/database.ts';
import { lockShelves, writeShelves } from '../orders/stock.ts';

/** A change of a store or SKU that does not exist, or that contradicts an earlier one. */
export class AvailabilityError extends Error {
  override name = 'AvailabilityError';
  /** The field at fault; absent where the store or the SKU is not known. */
  readonly field: FieldError | undefined;

  constructor(message: string, field?: FieldError) {
    super(message);
    this.field = field;
  }
}

export interface AvailabilityChange extends Availability {
  storeId: string;
  sku: string;
  /** Outages that ended before this time are removed. */
  windowMs: number;
}

/**
 * Stores a change of one SKU, in one transaction. The same change again changes nothing.
 * @throws AvailabilityError
 */
export async function changeAvailability(database: Database, change: AvailabilityChange): Promise<ItemState> {
  const { storeId, sku, windowMs } = change;
  return inTransaction(database, async (sql) => {
    const index = await positionOf(sql, storeId, sku);
    const revision = await lockState(sql, storeId);
    const isToggled = change.available !== undefined && (await setAvailable(sql, change, change.available));
    const isCounted = change.onHand !== undefined && (await correct(sql, change, change.onHand, index));
    await sql`
      delete from menu_outages where store_id = ${storeId} and ended_at < now() - ${windowMs}::float8 * interval '1 millisecond'`;
    if (isToggled || isCounted)
      await sql`update store_menu_state set revision = revision + 1 where store_id = ${storeId}`;
    const changes = isToggled || isCounted ? 1 : 0;
    return itemState(sql, { storeId, sku, index, revision: revision + changes });
  });
}

async function positionOf(sql: Transaction, storeId: string, sku: string): Promise<number> {
  const [found] = await sql<{ isStore: boolean; position: number | null }[]>`
    select exists (select 1 from store_stock where store_id = ${storeId}) as "isStore",
      (select position from stock_positions where sku = ${sku}) as position`;
  if (found?.isStore !== true) throw new AvailabilityError(`there is no store ${storeId}`);
  if (found.position === null) throw new AvailabilityError(`${sku} is on no menu`);
  return found.position - 1;
}

/** @returns the revision; the row stays locked until the transaction ends */
async function lockState(sql: Transaction, storeId: string): Promise<number> {
  await sql`insert into store_menu_state (store_id, revision) values (${storeId}, 0) on conflict do nothing`;
  const [row] = await sql<{ revision: string }[]>`
    select revision from store_menu_state where store_id = ${storeId} for update`;
  return Number(row?.revision);
}

/** @returns whether that changed anything */
async function setAvailable(
  sql: Transaction,
  { storeId, sku, reason }: AvailabilityChange,
  available: boolean,
): Promise<boolean> {
  // The clock and not the beginning of the transaction, which may have waited for an earlier change.
  const changed = available
    ? await sql`
        update menu_outages set ended_at = greatest(clock_timestamp(), began_at)
        where store_id = ${storeId} and sku = ${sku} and ended_at is null`
    : await sql`
        insert into menu_outages (store_id, sku, began_at, reason) values (${storeId}, ${sku}, clock_timestamp(), ${reason ?? null})
        on conflict (store_id, sku) where ended_at is null do update set reason = excluded.reason
        where menu_outages.reason is distinct from excluded.reason`;
  return changed.count > 0;
}

/** Sets the stock to what was counted, and books the difference. @returns false for a correction that is known */
async function correct(
  sql: Transaction,
  { storeId, sku, reason, changeId = randomUUID() }: AvailabilityChange,
  onHand: number,
  index: number,
): Promise<boolean> {
  const shelves = await lockShelves(sql, [storeId]);
  const shelf = shelves.get(storeId);
  if (shelf === undefined) throw new Error(`store ${storeId} has no shelf`);
  const delta = onHand - (shelf[index] ?? 0);
  const { count } = await sql`
    insert into stock_corrections (change_id, store_id, sku, on_hand, delta, reason)
    values (${changeId}, ${storeId}, ${sku}, ${onHand}, ${delta}, ${reason ?? null})
    on conflict (change_id) do nothing`;
  if (count === 0) {
    const [known] = await sql<{ same: boolean }[]>`
      select (store_id, sku, on_hand) = (${storeId}, ${sku}, ${onHand}::integer) as same
      from stock_corrections where change_id = ${changeId}`;
    if (known?.same === true) return false;
    const detail = 'must be new: it belongs to another correction';
    throw new AvailabilityError(`the changeId ${changeId} belongs to another correction`, {
      pointer: '/changeId',
      detail,
    });
  }
  shelf[index] = onHand;
  await writeShelves(sql, shelves);
  return true;
}

async function itemState(
  sql: Transaction,
  { storeId, sku, index, revision }: { storeId: string; sku: string; index: number; revision: number },
): Promise<ItemState> {
  const [row] = await sql<{ onHand: number; since: Date | null; reason: string | null }[]>`
    select on_hand[${index + 1}::integer] as "onHand", began_at as since, reason
    from store_stock s left join menu_outages o on o.store_id = s.store_id and o.sku = ${sku} and o.ended_at is null
    where s.store_id = ${storeId}`;
  if (row === undefined) throw new Error(`store ${storeId} has no shelf`);
  const { onHand, since, reason } = row;
  const outage = since === null ? {} : { since: since.toISOString(), ...(reason === null ? {} : { reason }) };
  return { storeId, sku, available: since === null, ...outage, onHand, revision };
}

/** What a store cannot sell now, by SKU. For screens, and for the events of a store. */
export async function unavailableItems(sql: Database | Transaction, storeId: string): Promise<UnavailableItem[]> {
  const rows = await sql<{ sku: string; since: Date; reason: string | null }[]>`
    select sku, began_at as since, reason from menu_outages
    where store_id = ${storeId} and ended_at is null order by sku`;
  return rows.map(({ sku, since, reason }) => ({
    sku,
    since: since.toISOString(),
    ...(reason === null ? {} : { reason }),
  }));
}

/** A time in which a store could not sell a SKU, in milliseconds since 1970. */
export interface Outage {
  sku: string;
  beganAtMs: number;
  /** Infinity while it goes on. */
  endedAtMs: number;
  reason: string | null;
}

/** The outages of some stores that lasted beyond an instant, by store. A store without any is not in it. */
export async function readOutages(
  sql: Transaction,
  storeIds: Iterable<string>,
  sinceMs: number,
): Promise<Map<string, Outage[]>> {
  const rows = await sql<(Outage & { storeId: string })[]>`
    select store_id as "storeId", sku, extract(epoch from began_at)::float8 * 1000 as "beganAtMs",
      coalesce(extract(epoch from ended_at)::float8 * 1000, 'infinity') as "endedAtMs", reason
    from menu_outages where store_id = any(${[...storeIds]}::text[])
      and (ended_at is null or ended_at > to_timestamp(${sinceMs}::float8 / 1000))`;
  return Map.groupBy(rows, ({ storeId }) => storeId);
}
