// Decides whether a status is news for the stores. Used by status-feed.ts.

import { stopwatch } from '../../contracts/clock.ts';
import type { OrderStatus } from '../../contracts/events.ts';
import {
  orderStates,
  progressOf,
  RANKS_A_ROUND,
  type StatusEvent,
  statusAfter,
} from '../../contracts/order/order-states.ts';
import { Generations } from '../identity/generations.ts';

/** About 20 MB. */
const ORDERS_MAX = 100_000;
const AGE_MS = 24 * 3_600_000;

interface Told {
  progress: number;
  status: OrderStatus;
}

/**
 * Remembers the progress of each order, so that the feed pushes no outdated status: a role repeats its events when an order is sent again, and after a
 * crash. Commands of the crew that the kitchen ignores as impossible are not pushed either. For an order that is not remembered, every event is pushed with
 * its time.
 */
export class ToldStatuses {
  #orders = new Generations<Told>(ORDERS_MAX, AGE_MS, stopwatch.now());

  /** Must be called for every event, in the log's order: after a missed event, the next event would look impossible. */
  isNews(orderId: string, event: StatusEvent): boolean {
    const progress = progressOf(event);
    const status = statusAfter(event.type);
    if (progress === undefined || status === undefined) return false;
    const told = this.#orders.get(orderId);
    if (told !== undefined) {
      if (progress < told.progress || (progress === told.progress && status === told.status)) return false;
      if (!canFollow(told, event)) return false;
    }
    this.#orders.set(orderId, { progress, status }, stopwatch.now());
    return true;
  }

  forget(): void {
    this.#orders = new Generations<Told>(ORDERS_MAX, AGE_MS, stopwatch.now());
  }
}

/** The kitchen's rules: cooking and cooked need a paid order, or the recall of the round before; a recall needs a cooked order of its round. */
function canFollow(told: Told, { type, round = 1 }: StatusEvent): boolean {
  const rankOf = (earlier: keyof typeof orderStates, ofRound: number) =>
    orderStates[earlier].rank + (ofRound - 1) * RANKS_A_ROUND;
  switch (type) {
    case 'order.cooking':
    case 'order.cooked':
      if (told.status === 'payment-failed') return false;
      return told.progress >= (round === 1 ? rankOf('order.paid', 1) : rankOf('order.recalled', round - 1));
    case 'order.recalled':
      return told.progress === rankOf('order.cooked', round);
    default:
      return true;
  }
}
