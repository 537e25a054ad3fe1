// Takes the stock of an order from the shelf of its store. Called by the order-validator's actor and by restore.ts.

import type { RejectionReason } from '../../contracts/events.ts';
import { type Order, stockDemand } from '../../contracts/order/order.ts';
import type { Catalog, Shelf } from '../../store/index.ts';

/** What one order takes from the shelf of its store. */
export interface Demand {
  lines: { sku: string; index: number; quantity: number }[];
  pieces: number;
}

/** What the database keeps of a demand, to give it back. */
export function takenOf({ lines }: Demand): number[] {
  return lines.flatMap(({ index, quantity }) => [index, quantity]);
}

/** For an order whose SKUs are all on the menu. */
export function demandOf(order: Pick<Order, 'items'>, catalog: Pick<Catalog, 'positions'>): Demand {
  const demand: Demand = { lines: [], pieces: 0 };
  for (const [sku, quantity] of stockDemand(order)) {
    const index = catalog.positions.get(sku);
    if (index === undefined) throw new Error(`${sku} is on the menu but has no stock position`);
    demand.lines.push({ sku, index, quantity });
    demand.pieces += quantity;
  }
  return demand;
}

/**
 * Takes the whole order from the shelf, or nothing of it.
 * @returns the reasons why not; empty when the shelf was changed
 */
export function reserve(demand: Demand, shelf: Shelf): RejectionReason[] {
  const reasons: RejectionReason[] = [];
  for (const { sku, index, quantity } of demand.lines) {
    const left = shelf[index] ?? 0;
    if (quantity > left) reasons.push({ code: 'out-of-stock', detail: `${quantity} of ${sku} wanted, ${left} left` });
  }
  if (reasons.length > 0) return reasons;
  for (const { index, quantity } of demand.lines) shelf[index] = (shelf[index] ?? 0) - quantity;
  return reasons;
}
