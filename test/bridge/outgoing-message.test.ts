import { expect, test } from 'vitest';
import { messageBytes, outgoingMessage } from '../../bridge/pubsub/outgoing-message.ts';
import { eventHeaders } from '../../contracts/headers.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const headers = eventHeaders({
  id: 'o-1/order.paid',
  type: 'order.paid',
  source: '/ordermesh/payment',
  time: '2026-11-22T10:00:00.000Z',
  subject: 'o-1',
  traceparent,
});

function record(extra: Record<string, string> = {}) {
  const entries = Object.entries({ ...headers, ...extra }).map(([name, value]) => [name, Buffer.from(value)] as const);
  return { key: 'o-1', offset: 42, value: Buffer.from('{"a":  1}'), headers: Object.fromEntries(entries) };
}

test('carries the bytes as they are, the key, and the CloudEvents attributes', () => {
  const message = outgoingMessage(record());
  expect(message.data.toString()).toBe('{"a":  1}');
  expect(message.orderingKey).toBe('o-1');
  expect(message.attributes).toEqual({
    specversion: '1.0',
    id: 'o-1/order.paid',
    type: 'order.paid',
    source: '/ordermesh/payment',
    time: '2026-11-22T10:00:00.000Z',
    subject: 'o-1',
    datacontenttype: 'application/json',
    traceparent,
    orderingkey: 'o-1',
    sequence: '2000000000000042',
  });
});

test("keeps the mesh's own headers inside", () => {
  expect(outgoingMessage(record({ 'dlt-error': 'secret' })).attributes).not.toHaveProperty('dlt-error');
});

test('counts data, key and attributes', () => {
  expect(messageBytes({ data: Buffer.alloc(10), orderingKey: 'abc', attributes: { ab: 'cd' } })).toBe(17);
});

test('the time of acceptance goes out as the CloudEvents extension that it is', () => {
  const attributes = outgoingMessage(record({ ce_acceptedtime: '2026-11-22T09:59:59.000Z' })).attributes;
  expect(attributes.acceptedtime).toBe('2026-11-22T09:59:59.000Z');
});
