// The events of an order: their types, values and ids. Used by all rooms that write or read events.

import type { Order } from './order/order.ts';
import type { FieldError } from './validation.ts';

/** Everything that can happen to an order, in the order in which it can happen. */
export const eventTypes = [
  'order.placed',
  'order.rejected',
  'order.conflicting',
  'order.validated',
  'order.payment-failed',
  'order.paid',
  'order.cooking',
  'order.cooked',
  'order.recalled',
] as const;

export type EventType = (typeof eventTypes)[number];

/** Happens to the menu of a store (contracts/menu/menu-events.ts). */
export const menuEventType = 'menu.changed';

export type OrderStatus =
  | 'accepted'
  | 'validated'
  | 'rejected'
  | 'paid'
  | 'payment-failed'
  | 'cooking'
  | 'cooked'
  | 'parked'
  /** Content that arrived under an orderId of other content. The order of the first content keeps its own status. */
  | 'conflicting';

/** An order after payment: everything but the payment token, which only the payment role may see. */
export type OrderWithoutToken = Omit<Order, 'payment'> & { payment: { method: Order['payment']['method'] } };

/** The members of every event after `order.placed`. A record's value is this object as JSON. */
interface EventBase {
  orderId: string;
  storeId: string;
  /** RFC 3339. Stored with the decision, so that a redelivery repeats it to the byte. */
  occurredAt: string;
  /** Minor units. */
  total: number;
  currency: string;
}

export interface OrderValidated extends EventBase {
  order: Order;
}

/** Why an order was rejected: a code for programs, a sentence for people, and a pointer if one field is the reason. */
export interface RejectionReason {
  code: RejectionCode;
  detail: string;
  pointer?: FieldError['pointer'];
}

export type RejectionCode =
  | 'unknown-sku'
  | 'wrong-price'
  | 'wrong-total'
  | 'wrong-currency'
  | 'out-of-stock'
  | 'unavailable'
  | 'store-unknown'
  | 'store-closed'
  | 'velocity-customer'
  | 'velocity-card'
  | 'amount-limit';

export interface OrderRejected extends EventBase {
  reasons: RejectionReason[];
}

/**
 * Content that was answered 202 under an orderId of earlier content, of this store or of another one. It has no effect. `storeId`, `total`,
 * `currency` and everything else here are those of the later content: the event goes to the store that sent it, which must learn nothing
 * about another store's order.
 */
export interface OrderConflicting extends EventBase {
  /** `orderFingerprint` of the content that has no effect. */
  fingerprint: string;
  /** The fingerprint of the first content; absent if it belongs to another store. */
  firstFingerprint?: string;
  reasons: ConflictReason[];
}

export interface ConflictReason {
  /** `other-store`: the orderId belongs to another store's order. */
  code: 'other-content' | 'other-store';
  detail: string;
  pointer?: FieldError['pointer'];
}

export interface OrderPaid extends EventBase {
  order: OrderWithoutToken;
  payment: { method: Order['payment']['method']; reference: string };
}

export interface OrderPaymentFailed extends EventBase {
  payment: { method: Order['payment']['method']; code: string; detail: string };
}

/**
 * `round` counts from 1 and rises with every recall, so that a ticket bumped twice on two screens is one event. All three types have the
 * round that the ticket is in: `order.recalled` of round 1 ends round 1, and the ticket is open again in round 2.
 */
export interface OrderKitchen extends EventBase {
  round: number;
}

export interface EventValues {
  'order.placed': Order;
  'order.rejected': OrderRejected;
  'order.conflicting': OrderConflicting;
  'order.validated': OrderValidated;
  'order.payment-failed': OrderPaymentFailed;
  'order.paid': OrderPaid;
  'order.cooking': OrderKitchen;
  'order.cooked': OrderKitchen;
  'order.recalled': OrderKitchen;
}

/** `<orderId>/<type>`, with `/<n>` if the type can recur. The same event always gets the same id. */
export function eventId(orderId: string, type: EventType, n?: number): string {
  return n === undefined ? `${orderId}/${type}` : `${orderId}/${type}/${n}`;
}
