// Tells whether messages of an order wait as dead letters or were given up. Used by judgement.ts and judge-order.ts.

import { deadLetterTopic, groups, topics } from '../contracts/topics.ts';
import type { DeadLetterFate } from '../store/index.ts';
import type { Trail } from './trail.ts';

/** Dead letters of orders that the order-validator could not decide. */
export const intakeParking = deadLetterTopic(topics.rawOrders, groups.orderValidator);

/** What the dead letters of an order mean for it, group by group. */
export class ParkingBook {
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
