import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { declineDetails } from '../../../actors/payment/decline-codes.ts';
import type { ChargeRequest, Movement, RefundRequest } from '../../../actors/payment/provider.ts';
import { OutageError } from '../../../runtime/actor.ts';
import { faultOf } from '../../../runtime/outage.ts';
import { type Subject, simulatedSubject, stripeSubject } from './subjects.ts';

const START_MS = 120_000;

/** Every payment provider keeps these promises. */
describe.each([
  ['simulated', simulatedSubject],
  ['stripe on localstripe', stripeSubject],
])('%s', (_, start: () => Promise<Subject>) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await start();
  }, START_MS);
  afterAll(() => subject[Symbol.asyncDispose]());

  function charge(change: Partial<ChargeRequest> = {}): ChargeRequest {
    const orderId = randomUUID();
    const { good } = subject.tokens;
    const since = new Date();
    const base = { idempotencyKey: orderId, orderId, storeId: 'us-il-0001', amount: 1_198, currency: 'USD' };
    return { ...base, token: good, since, ...change };
  }

  async function charged(change: Partial<ChargeRequest> = {}) {
    const request = charge(change);
    const result = await subject.provider.charge(request);
    if (result.status !== 'approved') throw new Error(`declined: ${result.code}`);
    const refund = (amount: number, idempotencyKey = randomUUID()): RefundRequest => {
      const { orderId, currency } = request;
      return { idempotencyKey, chargeReference: result.reference, amount, currency, orderId };
    };
    return { request, reference: result.reference, refund };
  }

  async function failureOf(work: Promise<unknown>): Promise<Error> {
    const outcome = await work.catch((error: unknown) => error);
    if (!(outcome instanceof Error)) throw new Error(`did not fail: ${JSON.stringify(outcome)}`);
    return outcome;
  }

  test('charges once for a key, and answers the same again', async () => {
    const request = charge();
    const first = await subject.provider.charge(request);
    expect(first).toMatchObject({ status: 'approved' });
    expect(await subject.provider.charge(request)).toEqual(first);
    const { since: _since, ...unknownAge } = request;
    expect(await subject.provider.charge(unknownAge)).toEqual(first);
    expect(await subject.charged(request.orderId)).toEqual([1_198]);
  });

  test.each(['before', 'after'] as const)(
    'an answer lost %s the charge is an outage, and the retry charges once',
    async (when) => {
      const request = charge();
      subject.lose(when);
      const failure = await failureOf(subject.provider.charge(request));
      expect(failure).toBeInstanceOf(OutageError);
      expect(await subject.charged(request.orderId)).toEqual(when === 'before' ? [] : [1_198]);
      expect(await subject.provider.charge(request)).toMatchObject({ status: 'approved' });
      expect(await subject.charged(request.orderId)).toEqual([1_198]);
    },
  );

  test('declines, with a code of the table, and declines again', async () => {
    const request = charge({ token: subject.tokens.declined });
    const declined = { status: 'declined', code: 'card-declined', detail: declineDetails['card-declined'] };
    expect(await subject.provider.charge(request)).toEqual(declined);
    expect(await subject.provider.charge(request)).toEqual(declined);
    expect(await subject.charged(request.orderId)).toEqual([]);
  });

  test('a payment that the guest would have to authenticate is declined', async () => {
    const request = charge({ token: subject.tokens.authenticated });
    expect(await subject.provider.charge(request)).toMatchObject({
      status: 'declined',
      code: 'authentication-required',
    });
    expect(await subject.charged(request.orderId)).toEqual([]);
  });

  test('a provider that is down is an outage, and goes on after it', async () => {
    const { refund } = await charged();
    const request = charge();
    subject.down();
    for (const work of [() => subject.provider.charge(request), () => subject.provider.refund(refund(1))]) {
      const failure = await failureOf(work());
      expect(failure).toBeInstanceOf(OutageError);
      expect(failure.message).toContain('card payments wait');
    }
    await expect(all(subject.provider.movements({ since: new Date(0), until: new Date() }))).rejects.toThrow(
      OutageError,
    );
    subject.up();
    expect(await subject.provider.charge(request)).toMatchObject({ status: 'approved' });
  });

  test('what will fail again is no outage: the key of another charge, an unknown charge, a key that is none', async () => {
    const { request, refund } = await charged();
    const bad = [
      () => subject.provider.charge({ ...request, amount: 1_199 }),
      () => subject.provider.charge({ ...request, amount: 1_199, since: new Date(0) }),
      () => subject.provider.charge(charge({ idempotencyKey: "a' OR '" })),
      () => subject.provider.charge(charge({ amount: -1 })),
      () => subject.provider.refund({ ...refund(1), chargeReference: 'ch_unknown' }),
      () => subject.provider.refund({ ...refund(1), idempotencyKey: '' }),
    ];
    for (const work of bad) expect(faultOf(await failureOf(work()))).toBe('message');
    expect(await subject.charged(request.orderId)).toEqual([1_198]);
  });

  test('refunds parts, and never more than was charged', async () => {
    const { request, refund } = await charged();
    const first = await subject.provider.refund(refund(500));
    const second = await subject.provider.refund(refund(500));
    expect(second.reference).not.toBe(first.reference);
    expect(faultOf(await failureOf(subject.provider.refund(refund(199))))).toBe('message');
    await subject.provider.refund(refund(198));
    expect(await subject.refunded(request.orderId)).toHaveLength(3);
  });

  test('refunds once for a key, also after a lost answer, and refuses another amount under it', async () => {
    const { request, refund } = await charged();
    const half = refund(599);
    subject.lose('after');
    expect(await failureOf(subject.provider.refund(half))).toBeInstanceOf(OutageError);
    const made = await subject.provider.refund(half);
    expect(await subject.provider.refund(half)).toEqual(made);
    expect(await subject.refunded(request.orderId)).toEqual([599]);
    expect(faultOf(await failureOf(subject.provider.refund({ ...half, amount: 600 })))).toBe('message');
    expect(await subject.refunded(request.orderId)).toEqual([599]);
  });

  test('lists what has moved, with orders and keys, and nothing that was declined', async () => {
    const since = new Date(Date.now() - 1_000);
    const { request, reference, refund } = await charged({ amount: 700 });
    const back = refund(200);
    const { reference: refundReference } = await subject.provider.refund(back);
    const declined = charge({ token: subject.tokens.declined });
    await subject.provider.charge(declined);
    const until = new Date(Date.now() + 2_000);
    const found = await all(subject.provider.movements({ since, until }));
    const { orderId } = request;
    expect(found.filter((movement) => movement.orderId === orderId).map(withoutTime)).toEqual([
      { kind: 'charge', reference, idempotencyKey: orderId, orderId, amount: 700, currency: 'USD' },
      {
        kind: 'refund',
        reference: refundReference,
        idempotencyKey: back.idempotencyKey,
        orderId,
        amount: 200,
        currency: 'USD',
      },
    ]);
    expect(found.some((movement) => movement.orderId === declined.orderId)).toBe(false);
    expect(await all(subject.provider.movements({ since: new Date(0), until: new Date(1_600_000_000_000) }))).toEqual(
      [],
    );
  });

  test('charges of many orders at once stay apart', async () => {
    const requests = Array.from({ length: 50 }, (_, index) => charge({ amount: 100 + index }));
    await Promise.all(requests.flatMap((request) => [subject.provider.charge(request)]));
    for (const { orderId, amount } of requests) expect(await subject.charged(orderId)).toEqual([amount]);
  });
});

async function all(movements: AsyncIterable<Movement>): Promise<Movement[]> {
  const found: Movement[] = [];
  for await (const movement of movements) found.push(movement);
  return found.sort((a, b) => a.kind.localeCompare(b.kind));
}

function withoutTime({ at, ...movement }: Movement) {
  expect(Math.abs(at.getTime() - Date.now())).toBeLessThan(3_600_000);
  return movement;
}
