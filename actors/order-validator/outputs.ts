import { type EventType, eventId, type OrderRejected, type OrderValidated } from '../../contracts/events.ts';
import { eventHeaders } from '../../contracts/headers.ts';
import type { Order, OrderItem } from '../../contracts/order.ts';
import { topics } from '../../contracts/topics.ts';
import type { Message, Outputs } from '../../runtime/actor.ts';
import type { Decision } from '../../store/orders.ts';

/** The event of a decision: the same to the byte whenever it is made again from the order and the stored decision. */
export function decisionOutputs(order: Order, decision: Decision, message: Message): Outputs {
  return decision.reasons === undefined
    ? validatedOutputs(order, decision.decidedAt.toISOString(), message)
    : rejectedOutputs(order, decision.decidedAt.toISOString(), decision.reasons, message);
}

export function validatedOutputs(order: Order, occurredAt: string, message: Message): Outputs {
  const value: OrderValidated = { ...eventBase(order, occurredAt), order: canonicalOrder(order) };
  return [record(topics.validatedOrders, 'order.validated', value, message)];
}

export function rejectedOutputs(
  order: Order,
  occurredAt: string,
  reasons: OrderRejected['reasons'],
  message: Message,
): Outputs {
  const value: OrderRejected = { ...eventBase(order, occurredAt), reasons };
  return [record(topics.rejectedOrders, 'order.rejected', value, message)];
}

/**
 * One form for all orders of one fingerprint: fields in the order of the schema, and neither empty lists nor default quantities. A point of
 * sale that repeats its order in other notation gets the same event.
 */
export function canonicalOrder(order: Order): Order {
  const { orderId, storeId, channel, placedAt, currency, items, total, customerId, payment } = order;
  return {
    orderId,
    storeId,
    channel,
    placedAt,
    currency,
    items: items.map(canonicalItem),
    total,
    ...(customerId === undefined ? {} : { customerId }),
    payment: { method: payment.method, ...(payment.token === undefined ? {} : { token: payment.token }) },
  };
}

function canonicalItem({ sku, quantity, unitPrice, modifiers, note }: OrderItem): OrderItem {
  const item: OrderItem = { sku, quantity, unitPrice };
  if (modifiers !== undefined && modifiers.length > 0) {
    item.modifiers = modifiers.map((modifier) =>
      modifier.quantity === undefined || modifier.quantity === 1
        ? { sku: modifier.sku, unitPrice: modifier.unitPrice }
        : { sku: modifier.sku, quantity: modifier.quantity, unitPrice: modifier.unitPrice },
    );
  }
  if (note !== undefined) item.note = note;
  return item;
}

function eventBase({ orderId, storeId, total, currency }: Order, occurredAt: string) {
  return { orderId, storeId, occurredAt, total, currency };
}

function record(topic: string, type: EventType, value: OrderValidated | OrderRejected, message: Message) {
  return {
    topic,
    key: value.orderId,
    value: JSON.stringify(value),
    headers: eventHeaders({
      id: eventId(value.orderId, type),
      type,
      source: '/ordermesh/order-validator',
      time: value.occurredAt,
      subject: value.orderId,
      traceparent: message.headers.traceparent?.toString(),
    }),
  };
}
