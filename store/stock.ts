import type { Transaction } from './database.ts';

/** Pieces on hand of one store, by the positions of the catalog. */
export type Shelf = Int32Array;

/**
 * Locks the shelves of some stores until the transaction ends and returns what is on them. The locks are taken in the order of the store
 * ids, the same in every turn, so that two turns wait for each other but never deadlock.
 */
export async function lockShelves(sql: Transaction, storeIds: Iterable<string>): Promise<Map<string, Shelf>> {
  const rows = await sql<{ storeId: string; onHand: string }[]>`
    select store_id as "storeId", on_hand::text as "onHand" from store_stock
    where store_id = any(${[...storeIds]}::text[]) order by store_id for update`;
  return new Map(rows.map(({ storeId, onHand }) => [storeId, parseShelf(onHand)]));
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

/** Of an array's text `{1,2,3}`; several times faster than the driver's parser for nested arrays of any type. */
function parseShelf(text: string): Shelf {
  return text === '{}' ? new Int32Array() : Int32Array.from(text.slice(1, -1).split(','), Number);
}
