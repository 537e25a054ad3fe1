import {
  type EventType,
  eventId,
  type OrderConflicting,
  type OrderRejected,
  type OrderValidated,
} from '../../contracts/events.ts';
import { eventHeaders } from '../../contracts/headers.ts';
import { canonicalForm } from '../../contracts/order/canonical.ts';
import { type Order, orderSchema } from '../../contracts/order/order.ts';
import { topics } from '../../contracts/topics.ts';
import type { Message, Outputs } from '../../runtime/actor.ts';
import type { KnownDecision, StoredConflict } from '../../store/index.ts';
import { acceptedAtOf } from '../../telemetry/order-age.ts';

/** The event of a decision. Made again from the order and the stored decision, it has the same bytes. */
export function decisionOutputs(order: Order, decision: KnownDecision, message: Message): Outputs {
  const occurredAt = decision.decidedAt.toISOString();
  return decision.reasons === undefined
    ? validatedOutputs(order, occurredAt, message, decision.acceptedAtMs)
    : rejectedOutputs(order, occurredAt, decision.reasons, message, decision.acceptedAtMs);
}

export function validatedOutputs(
  order: Order,
  occurredAt: string,
  message: Message,
  acceptedAtMs = acceptedAt(message),
): Outputs {
  const value: OrderValidated = { ...eventBase(order, occurredAt), order: canonicalOrder(order) };
  return [record(topics.validatedOrders, 'order.validated', value, message, acceptedAtMs)];
}

export function rejectedOutputs(
  order: Order,
  occurredAt: string,
  reasons: OrderRejected['reasons'],
  message: Message,
  acceptedAtMs = acceptedAt(message),
): Outputs {
  const value: OrderRejected = { ...eventBase(order, occurredAt), reasons };
  return [record(topics.rejectedOrders, 'order.rejected', value, message, acceptedAtMs)];
}

/**
 * When the gateway accepted an order, in milliseconds since 1970, from the event's header. Without the header, the time of the record is
 * close enough.
 */
export function acceptedAt(message: Message): number {
  return acceptedAtOf(message.header('ce_time')) ?? message.timestamp;
}

/** The event for content that was answered 202 under an orderId with another content. It has no other effect. */
export function conflictingOutputs(
  { order, fingerprint }: { order: Order; fingerprint: string },
  first: KnownDecision,
  conflict: StoredConflict,
  message: Message,
): Outputs {
  const value: OrderConflicting = {
    ...eventBase(order, conflict.seenAt.toISOString()),
    fingerprint,
    ...(first.storeId === order.storeId && first.fingerprint !== '' ? { firstFingerprint: first.fingerprint } : {}),
    reasons: conflict.reasons,
  };
  const acceptedAtMs = conflict.acceptedAt.getTime();
  return [record(topics.rejectedOrders, 'order.conflicting', value, message, acceptedAtMs, conflict.n)];
}

const formOfOrder = canonicalForm(orderSchema);

/** The same form for all orders with one fingerprint: a point of sale that repeats its order in another notation gets the same event. */
export function canonicalOrder(order: Order): Order {
  return formOfOrder(order) as Order;
}

function eventBase({ orderId, storeId, total, currency }: Order, occurredAt: string) {
  return { orderId, storeId, occurredAt, total, currency };
}

function record(
  topic: string,
  type: EventType,
  value: OrderValidated | OrderRejected | OrderConflicting,
  message: Message,
  acceptedAtMs: number,
  n?: number,
) {
  return {
    topic,
    key: value.orderId,
    value: JSON.stringify(value),
    headers: eventHeaders({
      id: eventId(value.orderId, type, n),
      type,
      source: '/ordermesh/order-validator',
      time: value.occurredAt,
      subject: value.orderId,
      traceparent: message.header('traceparent'),
      acceptedTime: new Date(acceptedAtMs).toISOString(),
    }),
  };
}
