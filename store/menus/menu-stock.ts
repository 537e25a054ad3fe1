// The stock of stores when a menu is loaded. Called by store/orders/menu.ts.

import { type Menu, stockedSkus } from '../../contracts/order/menu.ts';
import type { Transaction } from '../database/database.ts';

/**
 * Gives every store in the database a shelf for every position. A SKU that is new to a store starts with the stock in the file. What a
 * reset takes away or adds is booked in `loaded`, so that the books still balance.
 */
export async function writeStock(sql: Transaction, menu: Menu, reset: boolean): Promise<void> {
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
    const resets = reset && ofFile.has(storeId);
    const after = start.map((amount, index) =>
      resets ? (amount ?? before[index] ?? 0) : (before[index] ?? amount ?? 0),
    );
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

/** One amount per position; `undefined` for a SKU of another version: orders of its time may still come. */
function startingStock(menu: Menu, storeId: string, positions: ReadonlyMap<string, number>): (number | undefined)[] {
  const stock = new Array<number | undefined>(positions.size).fill(undefined);
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
