import { expect, test } from 'vitest';
import { disorderOf } from '../../audit/order-of-events.ts';
import { type AuditedRecord, createTrailBook, noteEvent, noteOrphans } from '../../audit/trail.ts';
import { type EventType, eventId } from '../../contracts/events.ts';

const orderId = '0192f1c2-7c1a-7cc0-8000-000000000001';

function record(type: EventType, offset: number, value: string): AuditedRecord {
  const headers = { ce_id: Buffer.from(eventId(orderId, type)), ce_type: Buffer.from(type) };
  const place = { topic: 'validated-orders', partition: 0, offset, timestamp: 0 };
  return { ...place, key: Buffer.from(orderId), value: Buffer.from(value), headers };
}

function judged(orphans: AuditedRecord[], later: AuditedRecord[]) {
  const book = createTrailBook();
  for (const each of later) noteEvent(book, each);
  noteOrphans(book, orphans);
  const trail = book.trails.get(orderId);
  if (trail === undefined) throw new Error('the order has no trail');
  return { trail, events: [...trail.events.values()], disorder: [...disorderOf(trail)] };
}

test('what one region had alone and the other decided otherwise had no effect, and neither had what followed from it', () => {
  const alone = [record('order.validated', 3, 'first'), record('order.cooked', 4, 'first')];
  const { events, disorder } = judged(alone, [
    record('order.validated', 9, 'second'),
    record('order.paid', 10, 'second'),
    record('order.cooked', 11, 'first'),
  ]);
  expect(events.map(({ offset }) => offset)).toEqual([9, 10, 11]);
  expect(events.every(({ contradiction }) => contradiction === undefined)).toBe(true);
  expect(disorder).toEqual([]);
});

test('where both regions say the same, the first one said it first', () => {
  const alone = [
    record('order.validated', 3, 'same'),
    record('order.paid', 4, 'same'),
    record('order.cooked', 5, 'same'),
  ];
  const { events, disorder } = judged(alone, [record('order.validated', 9, 'same'), record('order.paid', 10, 'same')]);
  expect(events.map(({ type, offset }) => [type, offset])).toEqual([
    ['order.validated', 3],
    ['order.paid', 4],
    ['order.cooked', 5],
  ]);
  expect(disorder).toEqual([]);
});
