import type { Fault } from './fault.ts';

/*
 * The result of an audit: counts, and a fault for everything that is wrong.
 */

/** Exactly the keys of `ordermesh audit --json`. */
export interface AuditCounts {
  accepted: number;
  validated: number;
  rejected: number;
  parked: number;
  paid: number;
  paymentFailed: number;
  cooked: number;
  bridged: number;
  warehouse: number;
  inFlight: number;
  lost: number;
  duplicateEffects: number;
  outOfOrder: number;
}

export interface Verdict {
  counts: AuditCounts;
  faults: Fault[];
  /** Byte-identical repeats: at-least-once delivery at work, no fault. */
  repeats: number;
  /** Contents that came under the orderId of another order and ended as `order.conflicting`. They do not count as orders. */
  conflicting: number;
  /** Orders parked after validation that wait, by group. */
  parkedLater: Record<string, number>;
  /** Records that were removed before a group came to them; they count as lost. */
  skipped: number;
  /** Bridged events that the warehouse does not have: on their way to it, or missing. Undefined where the warehouse was not asked. */
  notInWarehouse: number | undefined;
  /** Messages that the warehouse keeps in `order_events_parked`. Undefined where it was not asked. */
  parkedInWarehouse: number | undefined;
  notAsked: readonly string[];
}

/** Whether nothing was lost, doubled or overtaken. */
export function isClean({ counts }: Verdict): boolean {
  return counts.lost === 0 && counts.duplicateEffects === 0 && counts.outOfOrder === 0;
}
