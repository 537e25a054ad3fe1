import { describe, expect, test } from 'vitest';
import { NotAnAnswerError, readBatchAnswer, TokenRefusedError } from '../../edge/forwarder/batch-answer.ts';
import { HeldOrders } from '../../edge/forwarder/held-orders.ts';
import { Bandwidth } from '../../edge/forwarder/pacing.ts';
import type { SpooledBatch } from '../../edge/spool/order.ts';

const batch: SpooledBatch = {
  sequences: [11, 12, 13],
  orderIds: ['a', 'b', 'c'],
  lanes: [0, 0, 0],
  body: new Uint8Array(),
};

function answer(results: unknown, changes: { status?: number; headers?: Record<string, string> } = {}) {
  const { status = 207, headers = { 'x-ordermesh-region': 'east' } } = changes;
  return { status, headers, body: Buffer.from(typeof results === 'string' ? results : JSON.stringify({ results })) };
}

describe('the answer to a batch', () => {
  test('settles each order by its own line, and leaves the others unsent', () => {
    const read = readBatchAnswer(
      answer([
        { index: 0, orderId: 'a', status: 202 },
        { index: 1, orderId: 'b', status: 409, problem: { code: 'order-conflict', detail: 'other content' } },
        { index: 2, orderId: 'c', status: 503, problem: { code: 'overloaded', retryAfterS: 7 } },
      ]),
      batch,
    );
    expect(read).toEqual({
      region: 'east',
      settlements: [
        { sequence: 11, region: 'east' },
        { sequence: 12, region: 'east', problem: 'order-conflict: other content' },
      ],
      deferred: 1,
      retryAfterS: 7,
    });
  });

  test('says which fields of a refused order are wrong', () => {
    const problem = {
      code: 'invalid-order',
      detail: 'no match',
      errors: [{ pointer: '/total', detail: 'must be >= 0' }],
    };
    const { settlements } = readBatchAnswer(answer([{ index: 0, status: 422, problem }]), batch);
    expect(settlements[0]?.problem).toBe('invalid-order: no match; /total must be >= 0');
  });

  test('keeps an order of another store than the token’s: it was accepted, and another token may deliver it', () => {
    const problem = { code: 'forbidden', detail: 'another store' };
    const { settlements, notAllowed } = readBatchAnswer(
      answer([{ index: 1, orderId: 'b', status: 403, problem }]),
      batch,
    );
    expect(settlements).toEqual([]);
    expect(notAllowed).toEqual([{ sequence: 12, orderId: 'b', reason: 'forbidden: another store' }]);
  });

  test.each([401, 403])(
    'of status %i from a gateway is about the token, and from anything else about the line',
    (status) => {
      const read = (body: string) => () => readBatchAnswer(answer(body, { status }), batch);
      expect(read('{"code":"unauthenticated","detail":"the token is expired"}')).toThrow(TokenRefusedError);
      expect(read('<html>Log in</html>')).not.toThrow(TokenRefusedError);
    },
  );

  test('leaves an order unsent that the answer does not name', () => {
    expect(readBatchAnswer(answer([{ index: 1, orderId: 'b', status: 202 }]), batch)).toMatchObject({ deferred: 2 });
  });

  test.each([
    ['another order', answer([{ index: 0, orderId: 'z', status: 202 }])],
    ['an order that was not sent', answer([{ index: 3, orderId: 'd', status: 202 }])],
    ['one order twice', answer([0, 0].map((index) => ({ index, orderId: 'a', status: 202 })))],
    ['a page', answer('<html>Welcome to our wireless network</html>')],
    ['no list', answer('{"results":{}}')],
    ['no region', answer([], { headers: {} })],
    [
      'a wait that is no number',
      answer([{ index: 0, status: 503, problem: { code: 'overloaded', retryAfterS: 'soon' } }]),
    ],
    [
      'errors that are no list',
      answer([{ index: 0, status: 422, problem: { code: 'invalid-order', errors: 'many' } }]),
    ],
    ['a problem that is a text', answer([{ index: 0, status: 422, problem: 'bad' }])],
    ['another status', answer([{ index: 0, orderId: 'a', status: 202 }], { status: 200 })],
  ])('is none when it is about %s', (_, given) => {
    expect(() => readBatchAnswer(given, batch)).toThrow(NotAnAnswerError);
  });

  test.each([
    [401, false],
    [404, false],
    [408, true],
    [413, true],
    [500, true],
    [503, false],
  ])('of status %i blames orders: %s', (status, blames) => {
    const headers = { 'retry-after': '3' };
    try {
      readBatchAnswer(answer('{}', { status, headers }), batch);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ blamesOrders: blames, retryAfterS: 3 });
    }
  });
});

describe('bandwidth', () => {
  test('spaces batches at its rate, and saves up nothing', () => {
    let now = 0;
    const bandwidth = new Bandwidth(1_000, () => now);
    expect([bandwidth.take(500), bandwidth.take(500), bandwidth.take(1)]).toEqual([0, 500, 1_000]);
    now = 60_000;
    expect([bandwidth.take(2_000), bandwidth.take(1)]).toEqual([0, 2_000]);
  });

  test('keeps batches small on a narrow line', () => {
    expect(new Bandwidth(8_000, () => 0).batchBytesMax(4_000_000)).toBe(8_000);
    expect(new Bandwidth(undefined, () => 0).batchBytesMax(4_000_000)).toBe(4_000_000);
  });
});

describe('an order that alone does not get through', () => {
  test('is tried again at once, then waits longer and longer, by itself', () => {
    let now = 0;
    const held = new HeldOrders(() => now);
    held.failed(1, 'a', 'reset');
    expect(held.due()).toBe(1);
    expect(held.list()).toEqual([]);
    held.failed(1, 'a', 'reset');
    held.failed(1, 'a', 'reset');
    expect(held.list()).toEqual([{ orderId: 'a', failures: 3, reason: 'reset' }]);
    expect([held.due(), held.except()]).toEqual([undefined, [1]]);
    now = 30_000;
    expect(held.due()).toBe(1);
    held.failed(1, 'a', 'reset');
    now = 80_000;
    expect(held.due()).toBeUndefined();
    now = 90_000;
    expect(held.due()).toBe(1);
    held.passed([1]);
    expect(held.except()).toEqual([]);
  });

  test('is not held back when very many fail', () => {
    const held = new HeldOrders(() => 0);
    for (let sequence = 0; sequence <= 100; sequence++) held.failed(sequence, String(sequence), 'reset');
    expect(held.except()).toEqual([100]);
  });
});
