import type { EventType, OrderStatus } from '../events.ts';
import { groups } from '../topics.ts';

/** Roles whose dead letter stops the order; the bridge's stops only what others hear of it. */
export const stoppingGroups: readonly string[] = [groups.orderValidator, groups.payment, groups.kitchen];

interface State {
  /** What the order's status is after the event. */
  status: OrderStatus;
  /**
   * How far along its life an order is after the event. A record that stands later in a log says nothing about it: a repeat comes last and is
   * the oldest news. Within one rank the later event counts.
   */
  rank: number;
}

/**
 * The one table of what an event makes of its order. API, WebSocket, `orders show` and the warehouse's view read it, so that all of them say
 * the same. `order.conflicting` is not here: it tells of a later content under a known orderId, and the order itself goes on as it was.
 *
 * A recall takes the order back to paid: its ticket is open again and the guest waits (the kitchen has not begun to cook it again).
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

/** Ranks of one round of the kitchen: a recall begins the next, so that what is cooked in round 2 comes after what was recalled in round 1. */
export const RANKS_A_ROUND = 10;

/** The status after an event; `undefined` for a type that changes none or is not ours. */
export function statusAfter(type: string): OrderStatus | undefined {
  return stateOf(type)?.status;
}

/** An event of an order, as far as its status depends on it. */
export interface StatusEvent {
  type: string;
  /** Of a kitchen event, from 1. */
  round?: number | undefined;
}

/** The status of an order that has had these events, in any order and any number of times; `undefined` if none of them is ours. */
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
