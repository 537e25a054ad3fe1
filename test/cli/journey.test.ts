import { expect, test } from 'vitest';
import { journeyOf } from '#cli/orders/journey.ts';
import { journeyStatus } from '#cli/orders/journey-status.ts';
import type { UntimedStep } from '#cli/orders/journey-step.ts';
import type { ReadRecord } from '../../kafka/index.ts';

function record(
  topic: string,
  offset: number,
  timestamp: number,
  headers: Record<string, string>,
  value: unknown,
): ReadRecord {
  return {
    topic,
    partition: 3,
    offset,
    timestamp,
    key: Buffer.from('order-1'),
    value: Buffer.from(JSON.stringify(value)),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
  };
}

test('steps stand in the order of time, with the time between them', () => {
  const steps = journeyOf([
    record('validated-orders', 8, 1_070, { ce_type: 'order.paid' }, { payment: { method: 'card', reference: 'ch_1' } }),
    record(
      'raw-orders',
      4,
      1_000,
      { ce_type: 'order.placed' },
      { storeId: 's-1', channel: 'pos', total: 1198, currency: 'USD' },
    ),
    record('validated-orders', 7, 1_020, { ce_type: 'order.validated' }, {}),
  ]);
  expect(steps).toMatchObject([
    {
      step: 'order.placed',
      topic: 'raw-orders',
      partition: 3,
      offset: 4,
      sincePreviousMs: 0,
      detail: 's-1, pos, 11.98 USD',
    },
    { step: 'order.validated', sincePreviousMs: 20 },
    { step: 'order.paid', sincePreviousMs: 50, detail: 'card, ch_1' },
  ]);
});

test('a dead letter is a step of its own that says why', () => {
  const headers = {
    ce_type: 'order.placed',
    'dlt-topic': 'raw-orders',
    'dlt-reason': 'invalid',
    'dlt-error': 'no items',
  };
  const [step] = journeyOf([record('raw-orders.order-validator.dlt', 0, 1_000, headers, {})]);
  expect(step).toMatchObject({ step: 'parked', detail: 'invalid: no items' });
});

test('records of one partition keep the order of their offsets, whatever their clocks say', () => {
  const steps = journeyOf([
    record('validated-orders', 2, 900, { ce_type: 'order.paid' }, {}),
    record('validated-orders', 1, 1_000, { ce_type: 'order.validated' }, {}),
  ]);
  expect(steps.map(({ step }) => step)).toEqual(['order.validated', 'order.paid']);
});

test('a value that is not JSON is no error', () => {
  const broken = { ...record('raw-orders', 0, 1, { ce_type: 'order.placed' }, {}), value: Buffer.from('{') };
  expect(journeyOf([broken])).toMatchObject([{ step: 'order.placed', detail: '' }]);
});

const placed = (offset: number, timestamp: number, order = { total: 1198, currency: 'USD' }) =>
  record('raw-orders', offset, timestamp, { ce_type: 'order.placed', ce_id: 'order-1/order.placed' }, order);
const said = (type: string, offset: number, round?: number) => {
  const id = round === undefined ? `order-1/${type}` : `order-1/${type}/${round}`;
  return record('validated-orders', offset, 1_000 + offset, { ce_type: type, ce_id: id }, {});
};

test('the heading is the furthest state, whatever comes last', () => {
  const paid = [placed(1, 900), said('order.validated', 1), said('order.paid', 2)];
  expect(journeyStatus(journeyOf([...paid, placed(2, 9_000)]))).toBe('paid');
  expect(journeyStatus(journeyOf([...paid, said('order.cooked', 3, 1), said('order.validated', 4)]))).toBe('cooked');
  const recalled = [...paid, said('order.cooked', 3, 1), said('order.recalled', 4, 1)];
  expect(journeyStatus(journeyOf(recalled))).toBe('paid');
  expect(journeyStatus(journeyOf([...recalled, said('order.cooked', 5, 1)]))).toBe('paid');
  expect(journeyStatus(journeyOf([...recalled, said('order.cooked', 5, 2)]))).toBe('cooked');
  expect(journeyStatus([])).toBeUndefined();
});

test('a dead letter that waits parks the order, a replayed one or the bridge’s does not', () => {
  const parked = (group: string) =>
    record(
      `validated-orders.${group}.dlt`,
      0,
      5_000,
      {
        ce_type: 'order.validated',
        'dlt-topic': 'validated-orders',
        'dlt-partition': '3',
        'dlt-offset': '1',
      },
      {},
    );
  const act = (step: string): UntimedStep => {
    const place = { topic: 'validated-orders', partition: 3, offset: 1 };
    return { step, ...place, at: new Date(6_000).toISOString(), detail: '', origin: { group: 'payment', ...place } };
  };
  const records = [placed(1, 900), said('order.validated', 1)];
  expect(journeyStatus(journeyOf([...records, parked('payment')]))).toBe('parked');
  expect(journeyStatus(journeyOf([...records, parked('bridge')]))).toBe('validated');
  expect(journeyStatus(journeyOf([...records, parked('payment')], [act('replayed')]))).toBe('validated');
  expect(journeyStatus(journeyOf([...records, parked('payment')], [act('discarded')]))).toBe('parked');
  const paidLater = [...records, parked('payment'), said('order.paid', 2)];
  expect(journeyStatus(journeyOf(paidLater, [act('discarded')]))).toBe('paid');
});

test('money has the digits of its currency', () => {
  expect(journeyOf([placed(1, 900, { total: 1198, currency: 'JPY' })])[0]?.detail).toBe('1198 JPY');
});
