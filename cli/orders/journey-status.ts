import type { OrderStatus } from '../../contracts/events.ts';
import { furthestStatus, stoppingGroups } from '../../contracts/order/order-states.ts';
import { groups } from '../../contracts/topics.ts';
import type { JourneyStep, Origin } from './journey-step.ts';

/**
 * The status above the journey: the furthest state of the order, not that of the last record, which may be a repeat. While a message of the order is parked,
 * or was discarded before it had its effect, the order is parked.
 * @returns undefined for a journey without a step of an order
 */
export function journeyStatus(steps: readonly JourneyStep[]): OrderStatus | undefined {
  const parked = new Map<string, Origin>();
  const discarded = new Set<string>();
  for (const { step, origin } of steps) {
    if (origin === undefined || !stoppingGroups.includes(origin.group)) continue;
    const id = `${origin.group} ${origin.topic} ${origin.partition} ${origin.offset}`;
    if (step === 'parked') parked.set(id, origin);
    else if (step === 'replayed') parked.delete(id);
    else if (step === 'discarded') discarded.add(id);
  }
  const events = steps.filter(({ origin }) => origin === undefined);
  const has = (...types: string[]) => events.some(({ step }) => types.includes(step));
  const hadItsEffect: Partial<Record<string, boolean>> = {
    [groups.orderValidator]: has('order.validated', 'order.rejected'),
    [groups.payment]: has('order.paid', 'order.payment-failed'),
    [groups.kitchen]: has('order.cooked'),
  };
  for (const [id, { group }] of parked) if (!discarded.has(id) || hadItsEffect[group] !== true) return 'parked';
  return furthestStatus(events.map(({ step, eventId }) => ({ type: step, round: roundOf(eventId) })));
}

/** `<orderId>/<type>/<round>`; undefined where the id names none. */
function roundOf(eventId: string | undefined): number | undefined {
  const round = Number(eventId?.split('/')[2]);
  return Number.isSafeInteger(round) && round > 0 ? round : undefined;
}
