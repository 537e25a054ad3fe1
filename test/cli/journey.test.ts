import { expect, test } from 'vitest';
import { journeyOf } from '../../cli/orders/journey.ts';
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
