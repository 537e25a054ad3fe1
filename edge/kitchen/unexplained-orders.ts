// Asks the region what became of orders that have no ticket there. Created by kitchen.ts.

import type { OrderStatus } from '../../contracts/events.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** Orders that the region is asked for in one tick. */
const QUESTIONS_MAX = 5;

/** `refused`: the region does not take the order. `over`: the order has been cooked. */
export type Fate = 'refused' | 'over';

const fates: Partial<Record<OrderStatus, Fate>> = {
  rejected: 'refused',
  'payment-failed': 'refused',
  conflicting: 'refused',
  cooked: 'over',
};

export interface UnexplainedOrdersOptions {
  statusOf(orderId: string): Promise<OrderStatus | undefined>;
  onDecided(orderId: string, fate: Fate): Promise<void>;
  logger: Logger;
}

/** Asks the region for orders on the board that have no ticket there, for no known reason. */
export class UnexplainedOrders {
  readonly #options: UnexplainedOrdersOptions;
  #isAsking = false;
  /** Rotates, so that an order without an answer does not block the questions for the others. */
  #next = 0;

  constructor(options: UnexplainedOrdersOptions) {
    this.#options = options;
  }

  /** Asks for some of the orders; does nothing while the last questions are in flight. @throws what `onDecided` throws */
  async ask(orderIds: readonly string[]): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { statusOf, onDecided, logger } = this.#options;
    try {
      for (let count = Math.min(QUESTIONS_MAX, orderIds.length); count > 0; count--) {
        this.#next++;
        const orderId = orderIds[this.#next % orderIds.length] ?? '';
        const status = await statusOf(orderId);
        const fate = status === undefined ? undefined : fates[status];
        if (fate === undefined) continue;
        logger.warn({ orderId, status }, 'the region has decided on an order that the kitchen has without its ticket');
        await onDecided(orderId, fate);
      }
    } finally {
      this.#isAsking = false;
    }
  }
}
