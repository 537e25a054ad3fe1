// Judges one order by its trail and by what the database holds. Called by judgement.ts.

import { groups } from '../contracts/topics.ts';
import type { OrderEffects } from '../store/index.ts';
import type { Evidence, Frontier } from './evidence.ts';
import type { FaultKind } from './fault.ts';
import { disorderOf } from './order-of-events.ts';
import { intakeParking, type ParkingBook } from './parking-book.ts';
import type { EventTrace, Position, Trail } from './trail.ts';
import type { Verdict } from './verdict.ts';

/** Counts and faults of all orders judged so far. */
export type Tally = Pick<Verdict, 'counts' | 'faults' | 'conflicting'> & { notInWarehouse: number };

export interface OrderJudgeOptions {
  evidence: Pick<Evidence, 'frontiers' | 'effects' | 'warehouse'>;
  parking: ParkingBook;
  /** A bridged event from before this time, in milliseconds since 1970, must be in the warehouse. */
  overdueBefore: number;
  tally: Tally;
}

type Placed = NonNullable<Trail['placed']>;

/** One order, and the facts that several questions need. */
interface JudgedOrder {
  trail: Trail;
  placed: Placed;
  validated: EventTrace | undefined;
  rejected: EventTrace | undefined;
  paid: EventTrace | undefined;
  failed: EventTrace | undefined;
  cooked: EventTrace | undefined;
  /** The order-validator parked it, and no replay gave it an outcome. */
  parked: boolean;
  /** Of `validated`, `rejected` and `parked` those that the order has: one, unless something is wrong; none while the order is in flight. */
  outcomes: string[];
  /** What the database holds of it. */
  stored: Pick<OrderEffects, 'decision' | 'charges' | 'ticket'> | undefined;
}

/** Asks the same questions of each order and adds the answers to the tally. `judge` calls it for each trail. */
export class OrderJudge {
  readonly #evidence: OrderJudgeOptions['evidence'];
  readonly #parking: ParkingBook;
  readonly #overdueBefore: number;
  readonly #tally: Tally;

  constructor({ evidence, parking, overdueBefore, tally }: OrderJudgeOptions) {
    this.#evidence = evidence;
    this.#parking = parking;
    this.#overdueBefore = overdueBefore;
    this.#tally = tally;
  }

  judge(trail: Trail, placed: Placed): void {
    const order = this.#lookAt(trail, placed);
    this.#judgeConflicts(order);
    this.#count(order);
    this.#judgeDoubles(order);
    this.#judgeDue(order);
    this.#judgeSequence(order);
    this.#judgeWarehouse(order);
  }

  #lookAt(trail: Trail, placed: Placed): JudgedOrder {
    const parking = this.#parking;
    const { orderValidator } = groups;
    const [validated, rejected] = [firstOf(trail, 'order.validated'), firstOf(trail, 'order.rejected')];
    const isDecided = (validated ?? rejected) !== undefined;
    // The database keeps a dead letter for longer than the dead-letter topic does.
    const givenUp = !isDecided && parking.keeps(trail, orderValidator);
    const wasParked = trail.parked.has(intakeParking) || parking.waits(trail, orderValidator) || givenUp;
    // A parked order that was replayed has the outcome of its replay.
    const parked = wasParked && !(isDecided && parking.replayAsked(trail, orderValidator));
    return {
      trail,
      placed,
      validated,
      rejected,
      paid: firstOf(trail, 'order.paid'),
      failed: firstOf(trail, 'order.payment-failed'),
      cooked: firstOf(trail, 'order.cooked'),
      parked,
      outcomes: [...(validated ? ['validated'] : []), ...(rejected ? ['rejected'] : []), ...(parked ? ['parked'] : [])],
      stored: this.#evidence.effects.of(trail.orderId),
    };
  }

  /** Other content under a known orderId must end as `order.conflicting`. */
  #judgeConflicts(order: JudgedOrder): void {
    const { trail, placed, validated, rejected } = order;
    const conflicts = conflictsOf(trail, placed, this.#evidence.frontiers.orderValidator);
    this.#tally.conflicting += conflicts.told;
    const untold = conflicts.untold - this.#parking.withoutRecord(trail);
    if ((validated ?? rejected) !== undefined && untold > 0)
      this.#fault(
        order,
        'lost',
        `came again with other content, and ${untold} of these contents have no order.conflicting`,
      );
  }

  /** One outcome each: an order with two is counted once, under the first of them, and named as a fault. */
  #count({ validated, rejected, parked, paid, failed, cooked }: JudgedOrder): void {
    const { counts } = this.#tally;
    counts.accepted++;
    if (validated !== undefined) counts.validated++;
    else if (rejected !== undefined) counts.rejected++;
    else if (parked) counts.parked++;
    if (paid !== undefined) counts.paid++;
    if (failed !== undefined) counts.paymentFailed++;
    if (cooked !== undefined) counts.cooked++;
  }

  /** What may happen once, and what log and database must agree on. */
  #judgeDoubles(order: JudgedOrder): void {
    const { trail, paid, failed, parked, outcomes, stored } = order;
    const fault = (detail: string) => this.#fault(order, 'duplicateEffects', detail);
    if (outcomes.length > 1) fault(`has ${outcomes.length} outcomes: ${outcomes.join(', ')}`);
    if (paid !== undefined && failed !== undefined) fault('is both paid and payment-failed');
    for (const [id, event] of trail.events) {
      if (event.contradiction === undefined) continue;
      fault(`${id} at ${at(event)} and at ${at(event.contradiction)} are not the same record`);
    }
    const decided = outcomes.length === 1 && !parked ? outcomes[0] : undefined;
    if (stored !== undefined && decided !== undefined && stored.decision !== decided)
      fault(`is ${decided} in the log and ${stored.decision} in the database`);
    const charges = stored?.charges ?? 0;
    if (charges > 1) fault(`was charged ${charges} times`);
  }

  /** What is due and did not happen is lost; what is not due yet is in flight. */
  #judgeDue(order: JudgedOrder): void {
    const { trail, placed, validated, paid, failed, parked, outcomes, stored } = order;
    const parking = this.#parking;
    const { frontiers } = this.#evidence;
    if (outcomes.length === 0)
      this.#due(order, placed.first, frontiers.orderValidator, 'is in raw-orders without an outcome');
    const isCharged = paid !== undefined || failed !== undefined;
    if (validated !== undefined && !isCharged && !parking.keeps(trail, groups.payment))
      this.#due(order, validated, frontiers.payment, 'is validated without an outcome of its payment');
    if (paid !== undefined && stored?.ticket !== true && !parking.keeps(trail, groups.kitchen))
      this.#due(order, paid, frontiers.kitchen, 'is paid without a ticket in the kitchen');
    if (parked && !parking.keeps(trail, groups.orderValidator))
      this.#fault(order, 'lost', 'was replayed and has no outcome');
    const charges = stored?.charges ?? 0;
    if (charges > 0 && paid === undefined && validated !== undefined && isPast(validated, frontiers.payment))
      this.#fault(order, 'lost', 'was charged and is not paid');
  }

  /** @param cause the record that must have had its effect once the frontier has passed it */
  #due(order: JudgedOrder, cause: Position, frontier: Frontier, detail: string): void {
    if (isPast(cause, frontier)) this.#fault(order, 'lost', `${detail}, past the committed ${at(cause)}`);
    else this.#tally.counts.inFlight++;
  }

  #judgeSequence(order: JudgedOrder): void {
    const { trail, paid, failed, stored } = order;
    if (failed !== undefined && paid === undefined && stored?.ticket === true)
      this.#fault(order, 'outOfOrder', 'has a ticket although its payment failed');
    for (const detail of disorderOf(trail)) this.#fault(order, 'outOfOrder', detail);
  }

  /** What was bridged must reach the warehouse. */
  #judgeWarehouse(order: JudgedOrder): void {
    const { trail } = order;
    const { frontiers, warehouse } = this.#evidence;
    const { counts } = this.#tally;
    for (const [id, event] of trail.events) {
      if (!event.bridgeable) continue;
      const isThere = warehouse?.ids.has(id) ?? false;
      if (isThere) counts.warehouse++;
      if (!isPast(event, frontiers.bridge) || this.#parking.keeps(trail, groups.bridge)) continue;
      counts.bridged++;
      if (isThere || warehouse?.parkedIds?.has(id)) continue;
      this.#tally.notInWarehouse++;
      if (event.timestamp < this.#overdueBefore)
        this.#fault(
          order,
          'lost',
          `${id} was bridged and is not in the warehouse, which has events that are 10 minutes younger (if ORDERMESH_BRIDGE_EVENTS or _MIN_TOTAL let it not pass at that time, give --since)`,
        );
    }
  }

  #fault({ trail }: JudgedOrder, kind: FaultKind, detail: string): void {
    this.#tally.faults.push({ kind, subject: trail.orderId, detail });
  }
}

/**
 * How many contents of an orderId ended as `order.conflicting`, and how many more should have. One content became the order, or was parked. Every other
 * content that the order-validator has passed must end as `order.conflicting`.
 */
function conflictsOf(
  trail: Trail,
  { first, content, others = [] }: NonNullable<Trail['placed']>,
  frontier: Frontier,
): { told: number; untold: number } {
  let told = 0;
  for (const { type } of trail.events.values()) if (type === 'order.conflicting') told++;
  // After a failover the offsets of a dead letter belong to another log, so its content identifies the record. A dead letter without a value is identified by its place.
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

/** The first event of that type, in the order of the log. */
function firstOf(trail: Trail, type: EventTrace['type']): EventTrace | undefined {
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
