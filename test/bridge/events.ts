import { randomUUID } from 'node:crypto';
import { type EventType, eventId } from '../../contracts/events.ts';
import { eventHeaders, type RecordHeaders } from '../../contracts/headers.ts';

export interface TestEvent {
  orderId: string;
  type: EventType;
  headers: RecordHeaders;
  value: Buffer;
}

/** An event as a role writes it to validated-orders. */
export function testEvent(
  type: EventType,
  total: number,
  orderId: string = randomUUID(),
  customerId = 'c-1',
): TestEvent {
  const base = { orderId, storeId: 'us-il-0001', occurredAt: '2026-11-22T10:00:00.000Z', total, currency: 'USD' };
  const value =
    type === 'order.paid' ? { ...base, order: { customerId }, payment: { method: 'cash', reference: 'r-1' } } : base;
  return {
    orderId,
    type,
    headers: eventHeaders({
      id: eventId(orderId, type),
      type,
      source: '/ordermesh/test',
      time: base.occurredAt,
      subject: orderId,
    }),
    value: Buffer.from(JSON.stringify(value)),
  };
}

/** The event as the bridge publishes it. */
export function publishedEvent(event: TestEvent, sequence: number) {
  return {
    data: event.value,
    attributes: {
      id: `${event.orderId}/${event.type}`,
      type: event.type,
      source: '/ordermesh/test',
      orderingkey: event.orderId,
      sequence: String(sequence),
    },
  };
}
