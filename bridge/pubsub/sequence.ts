// The sequence number of an event within its order. Called by outgoing-message.ts for each published event.

import type { EventType } from '../../contracts/events.ts';

/** Larger than any offset. With ranks below 1,000 the sum fits into the 18 digits of a BigQuery INT64. */
const RANK = 10n ** 15n;
const ROUNDS_MAX = 99;
const ranks: Partial<Record<string, number>> = {
  'order.placed': 0,
  'order.rejected': 1,
  'order.validated': 1,
  'order.payment-failed': 2,
  'order.paid': 2,
} satisfies Partial<Record<EventType, number>>;
const kitchenRanks: Partial<Record<string, number>> = {
  'order.cooking': 3,
  'order.cooked': 4,
  'order.recalled': 5,
} satisfies Partial<Record<EventType, number>>;
const PER_ROUND = 3;

/**
 * Tells which event of an order is the later one: first by its place in the life of an order, then by its offset. The offset alone is not
 * enough: it starts again in the log of the other region, in a topic that was created again, and in the partition that a key moves to when
 * partitions are added. A sequence is larger than any offset, so it also counts as later than sequences from before, which were offsets
 * only.
 */
export function sequenceOf(type: string, eventId: string, offset: number): string {
  return (BigInt(rankOf(type, eventId)) * RANK + BigInt(offset)).toString();
}

function rankOf(type: string, eventId: string): number {
  const kitchen = kitchenRanks[type];
  // An unknown type of event is ordered by its offset, within the highest rank before the kitchen.
  if (kitchen === undefined) return ranks[type] ?? 2;
  const round = Number(eventId.split('/')[2]);
  return kitchen + PER_ROUND * (Math.min(Number.isInteger(round) && round > 0 ? round : 1, ROUNDS_MAX) - 1);
}
