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

export type OrderStatus =
  | 'accepted'
  | 'validated'
  | 'rejected'
  | 'paid'
  | 'payment-failed'
  | 'cooking'
  | 'cooked'
  | 'parked'
  /** A content that came under an orderId which stood for another one. The order of the first content keeps its own status. */
  | 'conflicting';

/** An order as it goes on after payment: everything but the payment token, which only the payment role may see. */
export type OrderWithoutToken = Omit<Order, 'payment'> & { payment: { method: Order['payment']['method'] } };

/** What every event after `order.placed` carries. The topic's value is this object as JSON. */
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

/** Why an order was rejected: a code for programs, a sentence for people, a pointer where one field is to blame. */
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
  | 'store-unknown'
  | 'store-closed'
  | 'velocity-customer'
  | 'velocity-card'
  | 'amount-limit';

export interface OrderRejected extends EventBase {
  reasons: RejectionReason[];
}

/**
 * A content that was answered 202 under an orderId which stands for an earlier one, of this store or of another: it has no effect. `storeId`, `total` and
 * `currency` are those of the content that came later, and so is everything else here: the event goes to the store that sent it, which must
 * learn nothing of another store's order.
 */
export interface OrderConflicting extends EventBase {
  /** `orderFingerprint` of the content that has no effect. */
  fingerprint: string;
  /** That of the content that the orderId stands for; absent where that is another store's. */
  firstFingerprint?: string;
  reasons: ConflictReason[];
}

export interface ConflictReason {
  /** `other-store`: the orderId is another store's. */
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
 * `round` counts from 1 and goes up with every recall, so that a ticket bumped twice on two screens is one event. All three types
 * name the round that the ticket is in: `order.recalled` of round 1 ends it, and the ticket is open again in round 2.
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

/** `<orderId>/<type>`, with `/<n>` where the type can recur: the same event gets the same id however often it is made. */
export function eventId(orderId: string, type: EventType, n?: number): string {
  return n === undefined ? `${orderId}/${type}` : `${orderId}/${type}/${n}`;
}
