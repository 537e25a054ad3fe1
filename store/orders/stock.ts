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
