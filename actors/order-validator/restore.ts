// Copies decisions from the log into a database that took over. Called during a failover (region/operations/restore.ts).

import type { OrderRejected, OrderValidated } from '../../contracts/events.ts';
import { orderFingerprint } from '../../contracts/order/fingerprint.ts';
import {
  type DecidedOrder,
  findDecisions,
  insertDecisions,
  lockShelves,
  readPositions,
  type Transaction,
  writeShelves,
} from '../../store/index.ts';
import { demandOf, reserve, takenOf } from './reservation.ts';

/** A decision as it is in the log. */
export type LoggedDecision =
  | { type: 'order.validated'; event: OrderValidated; acceptedAtMs: number }
  | { type: 'order.rejected'; event: OrderRejected; acceptedAtMs: number };

/**
 * Stores decisions that are in the log but not in a database that took over, and books their stock as when they were taken. A redelivery
 * then repeats them instead of deciding again.
 * @returns how many were missing
 */
export async function restoreDecisions(sql: Transaction, decisions: readonly LoggedDecision[]): Promise<number> {
  const byOrder = new Map(decisions.map((decision) => [decision.event.orderId, decision]));
  const known = await findDecisions(sql, [...byOrder.keys()]);
  const missing = [...byOrder.values()].filter(({ event }) => !known.has(event.orderId));
  if (missing.length === 0) return 0;
  const positions = await readPositions(sql);
  const stores = missing.flatMap(({ type, event }) => (type === 'order.validated' ? [event.storeId] : []));
  const shelves = await lockShelves(sql, new Set(stores));
  const restored = missing.map((decision) => {
    const { event, acceptedAtMs } = decision;
    const { orderId, storeId, total, currency, occurredAt } = event;
    const base = { orderId, storeId, total, currency, acceptedAtMs, occurredAt };
    // The event of a rejection doesn't have the order, so its fingerprint isn't known. `isSameOrder` can do without it.
    if (decision.type === 'order.rejected')
      return { ...base, fingerprint: '', placedAtMs: acceptedAtMs, pieces: 0, reasons: decision.event.reasons };
    const { order } = decision.event;
    const demand = demandOf(order, { positions });
    const shelf = shelves.get(storeId);
    // What the shelf in this database doesn't have is not booked, so that the books of the store still balance.
    const booked = shelf !== undefined && reserve(demand, shelf).length === 0;
    const reserved = booked ? { pieces: demand.pieces, taken: takenOf(demand) } : { pieces: 0 };
    return { ...base, fingerprint: orderFingerprint(order), placedAtMs: Date.parse(order.placedAt), ...reserved };
  });
  await writeShelves(sql, shelves);
  for (const [occurredAt, ofTurn] of Map.groupBy(restored, (each) => each.occurredAt)) {
    const rows: Omit<DecidedOrder, 'decidedAt'>[] = ofTurn.map(({ occurredAt: _, ...row }) => row);
    await insertDecisions(sql, new Date(occurredAt), rows);
  }
  return missing.length;
}
