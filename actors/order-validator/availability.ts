// Refuses what a store could not sell when the order was placed. Called by actor.ts.

import type { RejectionReason } from '../../contracts/events.ts';
import { type Order, stockDemand } from '../../contracts/order/order.ts';
import type { Outage } from '../../store/index.ts';

/** As in rules.ts: a rejection must fit into a record. */
const REASONS_MAX = 16;

/** A reason for each line with a SKU, as an item, a modifier or a part, that was unavailable at this instant. */
export function unavailableReasons(
  order: Pick<Order, 'items'>,
  atMs: number,
  outages: readonly Outage[] | undefined,
): RejectionReason[] {
  const out = new Map<string, string | null>();
  for (const { sku, beganAtMs, endedAtMs, reason } of outages ?? [])
    if (atMs >= beganAtMs && atMs < endedAtMs) out.set(sku, reason);
  if (out.size === 0) return [];
  const reasons = order.items.flatMap((item, index) =>
    [...stockDemand({ items: [item] }).keys()]
      .filter((sku) => out.has(sku))
      .map((sku): RejectionReason => {
        const why = out.get(sku);
        const detail = `${sku} is not available${why ? `: ${why}` : ''}`;
        return { code: 'unavailable', detail, pointer: `/items/${index}${sku === item.sku ? '/sku' : ''}` };
      }),
  );
  return reasons.slice(0, REASONS_MAX);
}
