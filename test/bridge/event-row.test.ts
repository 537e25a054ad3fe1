import { expect, test } from 'vitest';
import { eventRow } from '../../bridge/warehouse/event-row.ts';
import { publishedEvent, testEvent } from './events.ts';

const ingestedAt = '2026-11-22T10:00:01.000Z';
const message = publishedEvent(testEvent('order.paid', 1999), 7);

test('maps an event to its row', () => {
  const result = eventRow(message, ingestedAt);
  expect(result).toHaveProperty('row');
  if (!('row' in result)) return;
  expect(result.row).toMatchObject({
    event_id: message.attributes.id,
    event_type: 'order.paid',
    order_id: message.attributes.orderingkey,
    total: 1999,
    currency: 'USD',
    sequence: '7',
    payload: message.data.toString(),
    ingested_at: ingestedAt,
  });
});

function withData(change: object) {
  return { ...message, data: Buffer.from(JSON.stringify({ ...JSON.parse(message.data.toString()), ...change })) };
}

function withAttribute(change: Record<string, string>) {
  return { ...message, attributes: { ...message.attributes, ...change } };
}

test.each([
  ['attribute id', withAttribute({ id: '' })],
  ['attribute type', withAttribute({ type: 'order.lost' })],
  ['attribute sequence', withAttribute({ sequence: '-1' })],
  ['attribute sequence', withAttribute({ sequence: '99999999999999999999' })],
  ['JSON object', { ...message, data: Buffer.from('{') }],
  ['JSON object', { ...message, data: Buffer.from('[]') }],
  ['orderId', withData({ orderId: 7 })],
  ['occurredAt', withData({ occurredAt: 'yesterday' })],
  ['occurredAt', withData({ occurredAt: '2026-13-45T99:00:00Z' })],
  ['total', withData({ total: 1.5 })],
  ['currency', withData({ currency: '' })],
])('names %s when it is wrong', (name, bad) => {
  expect(eventRow(bad, ingestedAt)).toEqual({ reason: expect.stringContaining(name) });
});
