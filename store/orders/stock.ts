// Reads and writes the stock of stores. Called by the order-validator.

import type { Transaction } from '../database/database.ts';

/** Pieces that a store has, by the positions of the menu. */
export type Shelf = Int32Array;

/**
 * Locks the shelves of some stores until the transaction ends, and returns their stock. The locks are taken in the order of the store ids,
 * in every turn, so that two turns may wait for each other but never deadlock.
 */
export async function lockShelves(sql: Transaction, storeIds: Iterable<string>): Promise<Map<string, Shelf>> {
  const rows = await sql<{ storeId: string; onHand: string; length: number }[]>`
    select store_id as "storeId", on_hand::text as "onHand", cardinality(on_hand) as length from store_stock
    where store_id = any(${[...storeIds]}::text[]) order by store_id for update`;
  return new Map(rows.map(({ storeId, onHand, length }) => [storeId, parseShelf(onHand, length)]));
}

/** Writes back shelves that this transaction has locked. */
export async function writeShelves(sql: Transaction, shelves: ReadonlyMap<string, Shelf>): Promise<void> {
  if (shelves.size === 0) return;
  await sql`
    update store_stock set on_hand = t.on_hand::integer[]
    from unnest(${[...shelves.keys()]}::text[], ${Array.from(shelves.values(), (shelf) => `{${shelf.join()}}`)}::text[])
      as t(store_id, on_hand)
    where store_stock.store_id = t.store_id`;
}

/**
 * Puts back on the shelves what orders have taken: each order once, however often it is named. An order that was decided before the database
 * kept what it took keeps it.
 */
export async function giveBackStock(sql: Transaction, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return;
  const freed = await sql<{ storeId: string; taken: number[] }[]>`
    with taken as (
      select order_id, store_id, taken from orders
      where order_id = any(${orderIds}::uuid[]) and taken is not null order by order_id for update
    )
    update orders set pieces = 0, taken = null from taken where orders.order_id = taken.order_id
    returning taken.store_id as "storeId", taken.taken`;
  const shelves = await lockShelves(sql, new Set(freed.map(({ storeId }) => storeId)));
  for (const { storeId, taken } of freed) {
    const shelf = shelves.get(storeId);
    if (shelf === undefined) throw new Error(`store ${storeId} has no stock`);
    for (let at = 0; at < taken.length; at += 2) {
      const position = taken[at] ?? 0;
      shelf[position] = (shelf[position] ?? 0) + (taken[at + 1] ?? 0);
    }
  }
  await writeShelves(sql, shelves);
}

const COMMA = 44;
const DIGIT_ZERO = 48;

/** Parses an array's text `{1,2,3}`. Every turn reads hundreds of shelves of hundreds of SKUs, so this reads the digits itself. */
function parseShelf(text: string, length: number): Shelf {
  const shelf = new Int32Array(length);
  let index = 0;
  let amount = 0;
  for (let at = 1; at < text.length - 1; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA) {
      shelf[index] = amount;
      index++;
      amount = 0;
    } else amount = amount * 10 + code - DIGIT_ZERO;
  }
  if (length > 0) shelf[index] = amount;
  return shelf;
}
