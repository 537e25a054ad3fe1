import type { WarehouseEvents } from '../bridge/warehouse/index.ts';
import { deadLetterTopic, groups, topics } from '../contracts/topics.ts';
import type { DeadLetterFate, OrderEffects } from '../store/index.ts';
import type { Fault, FaultKind } from './fault.ts';
import { disorderOf } from './order-of-events.ts';
import type { SkippedRecords } from './skipped.ts';
import type { EventTrace, Position, Trail, TrailBook } from './trail.ts';

export type { Fault, FaultKind };

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

/** Committed positions by partition; a partition without a commit is absent, and nothing of it is due yet. */
export type Frontier = ReadonlyMap<number, number>;

/** What the database says. It is read after the topics, so it may know more than they do, never less. */
export interface Effects {
  of(orderId: string): Pick<OrderEffects, 'decision' | 'payment' | 'charges' | 'ticket'> | undefined;
  /** What the database alone proves wrong, for example stock that does not add up. */
  faults: readonly Fault[];
}

export interface Evidence {
  book: TrailBook;
  /** Read before the topics: what is below a frontier must have left its outcome in what was read afterwards. */
  frontiers: Record<'orderValidator' | 'payment' | 'kitchen' | 'bridge', Frontier>;
  effects: Effects;
  /** What operators made of dead letters; those that are not here wait. */
  deadLetters?: readonly DeadLetterFate[];
  /** Ids that were answered 202, from whoever sent them. */
  promised?: Iterable<string>;
  /** Only orders first placed at or after this time count, in milliseconds since the epoch. */
  sinceMs?: number;
  /** Events in the warehouse; undefined where it was not asked. */
  warehouse: WarehouseEvents | undefined;
  /** Records that were removed before a group came to them. */
  skipped?: readonly SkippedRecords[];
  /** Sources that were not there or could not be asked, each with the reason. */
  notAsked?: readonly string[];
}

export interface Verdict {
  counts: AuditCounts;
  faults: Fault[];
  /** Byte-identical repeats: at-least-once delivery at work, no fault. */
  repeats: number;
  /** Contents that came under the orderId of another one and were told so, which is the end of their 202: they are no orders of their own. */
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

/**
 * An event that is not in the warehouse is lost when the warehouse has an event that is younger by this much. The clock cannot decide that: after an
 * outage all events still wait, and none is lost.
 */
const WAREHOUSE_LAG_MS_MAX = 10 * 60_000;

const intakeParking = deadLetterTopic(topics.rawOrders, groups.orderValidator);
const laterGroups = [groups.payment, groups.kitchen, groups.bridge] as const;

/** Judges what was read. Pure: the same evidence gives the same verdict. */
export function judge(evidence: Evidence): Verdict {
  const { book, sinceMs = 0, warehouse } = evidence;
  const counts: AuditCounts = { ...nothing };
  const faults: Fault[] = [...evidence.effects.faults];
  const parkedLater: Record<string, number> = { payment: 0, kitchen: 0, bridge: 0 };
  const parking = new ParkingBook(evidence.deadLetters ?? []);
  const overdueBefore = newestInWarehouse(evidence) - WAREHOUSE_LAG_MS_MAX;
  let conflicting = 0;
  let notInWarehouse = 0;

  for (const trail of book.trails.values()) {
    if (trail.placed === undefined || trail.placed.first.timestamp < sinceMs) continue;
    const judged = judgeOrder(trail, trail.placed, evidence, parking, overdueBefore, counts, faults);
    conflicting += judged.conflicting;
    notInWarehouse += judged.notInWarehouse;
    for (const group of laterGroups) {
      if (parking.waits(trail, group)) parkedLater[group] = (parkedLater[group] ?? 0) + 1;
    }
  }
  for (const orderId of new Set(evidence.promised)) {
    if (book.trails.get(orderId)?.placed !== undefined) continue;
    counts.accepted++;
    faults.push({ kind: 'lost', subject: orderId, detail: 'was answered 202 and is not in raw-orders' });
  }
  const skipped = (evidence.skipped ?? []).filter(({ noticedAt = sinceMs }) => noticedAt >= sinceMs);
  for (const kind of ['lost', 'duplicateEffects', 'outOfOrder'] as const) {
    counts[kind] = new Set(faults.filter((fault) => fault.kind === kind).map(({ subject }) => subject)).size;
  }
  let removed = 0;
  for (const { group, topic, partition, from, to, reason } of skipped) {
    removed += to - from;
    const records = `${to - from} records (offsets ${from} to ${to - 1})`;
    faults.push({
      kind: 'lost',
      subject: `${topic} partition ${partition}`,
      detail: `${records} ${skips[reason]} before ${group} had read them`,
    });
  }
  counts.lost += removed;
  return {
    counts,
    faults,
    repeats: book.repeats,
    conflicting,
    parkedLater,
    skipped: removed,
    notInWarehouse: warehouse === undefined ? undefined : notInWarehouse,
    parkedInWarehouse: warehouse?.parked,
    notAsked: evidence.notAsked ?? [],
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

function judgeOrder(
  trail: Trail,
  placed: NonNullable<Trail['placed']>,
  { frontiers, effects, warehouse }: Evidence,
  parking: ParkingBook,
  overdueBefore: number,
  counts: AuditCounts,
  faults: Fault[],
): { conflicting: number; notInWarehouse: number } {
  const { orderId } = trail;
  const fault = (kind: FaultKind, detail: string) => faults.push({ kind, subject: orderId, detail });
  const first = (type: EventTrace['type']) => firstOf(trail, type);
  const [validated, rejected] = [first('order.validated'), first('order.rejected')];
  // The database keeps a dead letter for longer than the dead-letter topic does.
  const { orderValidator } = groups;
  const givenUp = (validated ?? rejected) === undefined && parking.keeps(trail, orderValidator);
  const wasParked = trail.parked.has(intakeParking) || parking.waits(trail, orderValidator) || givenUp;
  // A parked order that was replayed has the outcome of its replay.
  const parked = wasParked && !((validated ?? rejected) && parking.replayAsked(trail, groups.orderValidator));
  const [paid, failed, cooked] = [first('order.paid'), first('order.payment-failed'), first('order.cooked')];

  counts.accepted++;
  const conflicts = conflictsOf(trail, placed, frontiers.orderValidator);
  const untold = conflicts.untold - parking.withoutRecord(trail);
  if ((validated ?? rejected) !== undefined && untold > 0)
    fault('lost', `came again with other content, and ${untold} of these contents have no order.conflicting`);

  // One outcome each: an order with two is counted once, under the first of them, and named as a fault.
  if (validated !== undefined) counts.validated++;
  else if (rejected !== undefined) counts.rejected++;
  else if (parked) counts.parked++;
  if (paid !== undefined) counts.paid++;
  if (failed !== undefined) counts.paymentFailed++;
  if (cooked !== undefined) counts.cooked++;

  const outcomes = [validated && 'validated', rejected && 'rejected', parked && 'parked'].filter(Boolean);
  if (outcomes.length > 1) fault('duplicateEffects', `has ${outcomes.length} outcomes: ${outcomes.join(', ')}`);
  if (paid !== undefined && failed !== undefined) fault('duplicateEffects', 'is both paid and payment-failed');
  for (const [id, event] of trail.events) {
    if (event.contradiction === undefined) continue;
    fault('duplicateEffects', `${id} at ${at(event)} and at ${at(event.contradiction)} are not the same record`);
  }
  const stored = effects.of(orderId);
  const charges = stored?.charges ?? 0;
  const decided = outcomes.length === 1 && !parked ? outcomes[0] : undefined;
  if (stored !== undefined && decided !== undefined && stored.decision !== decided) {
    fault('duplicateEffects', `is ${decided} in the log and ${stored.decision} in the database`);
  }
  if (charges > 1) fault('duplicateEffects', `was charged ${charges} times`);

  // What is due and did not happen is lost; what is not due yet is in flight.
  const due: [missing: boolean, cause: Position, frontier: Frontier, detail: string][] = [
    [outcomes.length === 0, placed.first, frontiers.orderValidator, 'is in raw-orders without an outcome'],
    [
      validated !== undefined && paid === undefined && failed === undefined && !parking.keeps(trail, groups.payment),
      validated ?? placed.first,
      frontiers.payment,
      'is validated without an outcome of its payment',
    ],
    [
      paid !== undefined && stored?.ticket !== true && !parking.keeps(trail, groups.kitchen),
      paid ?? placed.first,
      frontiers.kitchen,
      'is paid without a ticket in the kitchen',
    ],
  ];
  for (const [missing, cause, frontier, detail] of due) {
    if (!missing) continue;
    if (cause.offset < (frontier.get(cause.partition) ?? 0))
      fault('lost', `${detail}, past the committed ${at(cause)}`);
    else counts.inFlight++;
  }
  if (parked && !parking.keeps(trail, groups.orderValidator)) fault('lost', 'was replayed and has no outcome');
  if (charges > 0 && paid === undefined && validated !== undefined && isPast(validated, frontiers.payment)) {
    fault('lost', 'was charged and is not paid');
  }
  if (failed !== undefined && paid === undefined && stored?.ticket === true) {
    fault('outOfOrder', 'has a ticket although its payment failed');
  }
  for (const detail of disorderOf(trail)) fault('outOfOrder', detail);

  let notInWarehouse = 0;
  for (const [id, event] of trail.events) {
    if (!event.bridgeable) continue;
    const isThere = warehouse?.ids.has(id) ?? false;
    if (isThere) counts.warehouse++;
    if (!isPast(event, frontiers.bridge) || parking.keeps(trail, groups.bridge)) continue;
    counts.bridged++;
    if (isThere || warehouse?.parkedIds?.has(id)) continue;
    notInWarehouse++;
    if (event.timestamp < overdueBefore)
      fault(
        'lost',
        `${id} was bridged and is not in the warehouse, which has events that are 10 minutes younger (if ORDERMESH_BRIDGE_EVENTS or _MIN_TOTAL let it not pass at that time, give --since)`,
      );
  }
  return { conflicting: conflicts.told, notInWarehouse };
}

/** When the youngest event in the warehouse was written; `-Infinity` for a warehouse that is empty or was not asked, so that no event is overdue. */
function newestInWarehouse({ book, warehouse }: Evidence): number {
  let newest = Number.NEGATIVE_INFINITY;
  for (const { events } of book.trails.values())
    for (const [id, { timestamp }] of events) if (timestamp > newest && warehouse?.ids.has(id)) newest = timestamp;
  return newest;
}

/**
 * How many contents of an orderId were told to conflict, and how many should have been: one of those that the order-validator has passed became the
 * order, or one that was parked did, and every other one has to end as `order.conflicting`.
 */
function conflictsOf(
  trail: Trail,
  { first, content, others = [] }: NonNullable<Trail['placed']>,
  frontier: Frontier,
): { told: number; untold: number } {
  let told = 0;
  for (const { type } of trail.events.values()) if (type === 'order.conflicting') told++;
  // After a failover the offsets of a dead letter are another log's: what it says tells which record it is. One that lost its value has its place only.
  const wasParked = (place: Position & { content: number }) =>
    trail.parked
      .get(intakeParking)
      ?.some(
        (origin) =>
          origin.content === place.content || (origin.partition === place.partition && origin.offset === place.offset),
      );
  const passed = [{ ...first, content }, ...others].filter((place) => isPast(place, frontier) && !wasParked(place));
  return { told, untold: Math.max(0, passed.length - 1 - told) };
}

/** What the dead letters of an order mean for it, group by group. */
class ParkingBook {
  readonly #fates: Map<string, DeadLetterFate>;

  constructor(fates: readonly DeadLetterFate[]) {
    this.#fates = new Map(fates.map((fate) => [`${fate.group}/${fate.key}`, fate]));
  }

  /** Messages of the order wait for an operator. The database still knows them after retention has removed their records from the dead-letter topic. */
  waits(trail: Trail, group: string): boolean {
    return (this.#fateOf(trail, group)?.parked ?? Number(wasParkedBy(trail, group))) > 0;
  }

  /** Messages of it wait or were given up, so that what should follow from them need not be there. */
  keeps(trail: Trail, group: string): boolean {
    return this.waits(trail, group) || (this.#fateOf(trail, group)?.discarded ?? 0) > 0;
  }

  /** How many messages of the order are in the database while their records are no longer in the dead-letter topic. */
  withoutRecord(trail: Trail): number {
    const { parked = 0, replayed = 0, discarded = 0 } = this.#fateOf(trail, groups.orderValidator) ?? {};
    return Math.max(0, parked + replayed + discarded - (trail.parked.get(intakeParking)?.length ?? 0));
  }

  replayAsked(trail: Trail, group: string): boolean {
    return this.#fateOf(trail, group)?.replayAsked === true;
  }

  #fateOf({ orderId }: Trail, group: string): DeadLetterFate | undefined {
    return this.#fates.get(`${group}/${orderId}`);
  }
}

function wasParkedBy({ parked }: Trail, group: string): boolean {
  return parked.has(
    deadLetterTopic(group === groups.orderValidator ? topics.rawOrders : topics.validatedOrders, group),
  );
}

/** The first event of that type, in the order of the log. */
export function firstOf(trail: Trail, type: EventTrace['type']): EventTrace | undefined {
  let first: EventTrace | undefined;
  for (const event of trail.events.values()) {
    if (event.type === type && (first === undefined || event.offset < first.offset)) first = event;
  }
  return first;
}

function isPast({ partition, offset }: Position, frontier: Frontier): boolean {
  return offset < (frontier.get(partition) ?? 0);
}

function at({ partition, offset }: Position): string {
  return `partition ${partition} offset ${offset}`;
}

/** Whether nothing was lost, doubled or overtaken. */
export function isClean({ counts }: Verdict): boolean {
  return counts.lost === 0 && counts.duplicateEffects === 0 && counts.outOfOrder === 0;
}
