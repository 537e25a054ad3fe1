// Compares an order with the one that was decided under the same orderId. Called by the order-validator's actor.

import type { ConflictReason } from '../../contracts/events.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { KnownDecision } from '../../store/index.ts';

/** Whether a record is the order that was decided, which was sent or delivered again. */
export function isSameOrder(first: KnownDecision, order: Order, fingerprint: string): boolean {
  if (first.fingerprint !== '') return first.fingerprint === fingerprint;
  // A rejection that was restored from the log: its event does not have the order, so only what is known is compared.
  return first.storeId === order.storeId && first.total === order.total && first.currency === order.currency;
}

/** Why the content can't be the order of its orderId. Reveals nothing of another store's order. */
export function conflictReasons(first: KnownDecision, order: Order): ConflictReason[] {
  if (first.storeId !== order.storeId) {
    const detail = 'the orderId stands for an order of another store; send this one again under a new orderId';
    return [{ code: 'other-store', detail, pointer: '/orderId' }];
  }
  const code = 'other-content';
  const detail = 'the orderId stands for an order that was accepted before with other content; use a new orderId';
  const reasons: ConflictReason[] = [{ code, detail, pointer: '/orderId' }];
  for (const name of ['total', 'currency'] as const) {
    if (order[name] !== first[name])
      reasons.push({ code, detail: `${name} is ${order[name]}, was ${first[name]}`, pointer: `/${name}` });
  }
  return reasons;
}
