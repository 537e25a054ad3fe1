// The status of an order after each event. Used by gateway, store, warehouse and `orders show`.

import type { EventType, OrderStatus } from '../events.ts';
import { groups } from '../topics.ts';

/** Roles whose dead letter stops the order. A dead letter of the bridge stops only what others learn about it. */
export const stoppingGroups: readonly string[] = [groups.orderValidator, groups.payment, groups.kitchen];

interface State {
  /** The order's status after the event. */
  status: OrderStatus;
  /**
   * How far along its life an order is after the event. The place in a log says nothing about that: a repeated event comes last and is the
   * oldest. Of two events with the same rank the later one counts.
   */
  rank: number;
}

/**
 * The one table of what an event makes of its order. API, WebSocket, `orders show` and the warehouse's view use it, so that all of them
 * agree. `order.conflicting` is not here: it concerns later content under a known orderId, and the order itself goes on.
 *
 * A recall takes the order back to paid: its ticket is open again and the guest waits.
 */
export const orderStates: Readonly<Record<Exclude<EventType, 'order.conflicting'>, State>> = {
  'order.placed': { status: 'accepted', rank: 0 },
  'order.rejected': { status: 'rejected', rank: 1 },
  'order.validated': { status: 'validated', rank: 1 },
  'order.payment-failed': { status: 'payment-failed', rank: 2 },
  'order.paid': { status: 'paid', rank: 2 },
  'order.cooking': { status: 'cooking', rank: 3 },
  'order.cooked': { status: 'cooked', rank: 4 },
  'order.recalled': { status: 'paid', rank: 5 },
};

/** Ranks per round of the kitchen. A recall begins the next round, so cooked in round 2 is after recalled in round 1. */
export const RANKS_A_ROUND = 10;

/** The status after an event; `undefined` for a type that changes none or is unknown. */
export function statusAfter(type: string): OrderStatus | undefined {
  return stateOf(type)?.status;
}

/** The parts of an event that its order's status depends on. */
export interface StatusEvent {
  type: string;
  /** The round of a kitchen event, from 1. */
  round?: number | undefined;
}

/** The status of an order with these events, in any order and any number of times; `undefined` if none of them has a status. */
export function furthestStatus(events: Iterable<StatusEvent>): OrderStatus | undefined {
  let furthest: OrderStatus | undefined;
  let furthestRank = -1;
  for (const event of events) {
    const rank = progressOf(event);
    if (rank === undefined || rank < furthestRank) continue;
    furthest = statusAfter(event.type);
    furthestRank = rank;
  }
  return furthest;
}

/** The order's progress after the event, over all rounds: a later status is a larger number. `undefined` for a type that changes no status or is unknown. */
export function progressOf({ type, round = 1 }: StatusEvent): number | undefined {
  const state = stateOf(type);
  return state && state.rank + (round - 1) * RANKS_A_ROUND;
}

function stateOf(type: string): State | undefined {
  return Object.hasOwn(orderStates, type) ? orderStates[type as keyof typeof orderStates] : undefined;
}
