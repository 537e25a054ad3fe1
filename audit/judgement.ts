// Makes a verdict of the evidence. Called by `ordermesh audit`, by `ordermesh smoke` and by the lab.

import { groups } from '../contracts/topics.ts';
import type { Evidence } from './evidence.ts';
import type { Fault } from './fault.ts';
import { OrderJudge, type Tally } from './judge-order.ts';
import { ParkingBook } from './parking-book.ts';
import type { SkippedRecords } from './skipped.ts';
import type { AuditCounts, Verdict } from './verdict.ts';

/**
 * An event that is not in the warehouse is lost when the warehouse has an event that is younger by this much. The clock cannot decide that: after an
 * outage all events still wait, and none is lost.
 */
const WAREHOUSE_LAG_MS_MAX = 10 * 60_000;

const laterGroups = [groups.payment, groups.kitchen, groups.bridge] as const;

/** Judges what was read. Pure: the same evidence gives the same verdict. */
export function judge(evidence: Evidence): Verdict {
  const { book, sinceMs = 0, warehouse } = evidence;
  const tally: Tally = {
    counts: { ...nothing },
    faults: [...evidence.effects.faults],
    conflicting: 0,
    notInWarehouse: 0,
  };
  const { counts, faults } = tally;
  const parking = new ParkingBook(evidence.deadLetters ?? []);
  const overdueBefore = newestInWarehouse(evidence) - WAREHOUSE_LAG_MS_MAX;
  const orders = new OrderJudge({ evidence, parking, overdueBefore, tally });
  const parkedLater: Record<string, number> = { payment: 0, kitchen: 0, bridge: 0 };
  for (const trail of book.trails.values()) {
    if (trail.placed === undefined || trail.placed.first.timestamp < sinceMs) continue;
    orders.judge(trail, trail.placed);
    for (const group of laterGroups) {
      if (parking.waits(trail, group)) parkedLater[group] = (parkedLater[group] ?? 0) + 1;
    }
  }
  for (const orderId of new Set(evidence.promised)) {
    if (book.trails.get(orderId)?.placed !== undefined) continue;
    counts.accepted++;
    faults.push({ kind: 'lost', subject: orderId, detail: 'was answered 202 and is not in raw-orders' });
  }
  for (const kind of ['lost', 'duplicateEffects', 'outOfOrder'] as const) {
    counts[kind] = new Set(faults.filter((fault) => fault.kind === kind).map(({ subject }) => subject)).size;
  }
  // Counted by record, since the orders in them are not known.
  const skipped = (evidence.skipped ?? []).filter(({ noticedAt = sinceMs }) => noticedAt >= sinceMs);
  const removed = skipped.reduce((sum, { from, to }) => sum + to - from, 0);
  faults.push(...skipped.map(skippedFault));
  counts.lost += removed;
  return {
    counts,
    faults,
    repeats: book.repeats,
    conflicting: tally.conflicting,
    parkedLater,
    skipped: removed,
    notInWarehouse: warehouse === undefined ? undefined : tally.notInWarehouse,
    parkedInWarehouse: warehouse?.parked,
    notAsked: evidence.notAsked ?? [],
  };
}

function skippedFault({ group, topic, partition, from, to, reason }: SkippedRecords): Fault {
  const records = `${to - from} records (offsets ${from} to ${to - 1})`;
  return {
    kind: 'lost',
    subject: `${topic} partition ${partition}`,
    detail: `${records} ${skips[reason]} before ${group} had read them`,
  };
}

const skips: Record<SkippedRecords['reason'], string> = {
  removed: 'were removed',
  recreated: 'went with their topic, which was deleted and created again,',
  shortened: 'were lost at the end of their topic',
};

const nothing: AuditCounts = {
  accepted: 0,
  validated: 0,
  rejected: 0,
  parked: 0,
  paid: 0,
  paymentFailed: 0,
  cooked: 0,
  bridged: 0,
  warehouse: 0,
  inFlight: 0,
  lost: 0,
  duplicateEffects: 0,
  outOfOrder: 0,
};

/** When the youngest event in the warehouse was written; `-Infinity` for a warehouse that is empty or was not asked, so that no event is overdue. */
function newestInWarehouse({ book, warehouse }: Evidence): number {
  let newest = Number.NEGATIVE_INFINITY;
  for (const { events } of book.trails.values())
    for (const [id, { timestamp }] of events) if (timestamp > newest && warehouse?.ids.has(id)) newest = timestamp;
  return newest;
}
