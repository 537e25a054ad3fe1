import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChargeRequest } from '../../../../actors/payment/provider.ts';
import { stripeProvider } from '../../../../actors/payment/stripe/stripe-provider.ts';
import { OutageError, UnexplainedError } from '../../../../runtime/actor.ts';
import { faultOf } from '../../../../runtime/outage.ts';
import { stripeSubject } from '../subjects.ts';
import { type LocalServer, startStripeMock } from './local-stripe.ts';

const START_MS = 120_000;

function chargeOf(token: string, change: Partial<ChargeRequest> = {}): ChargeRequest {
  const orderId = randomUUID();
  const base = { idempotencyKey: orderId, orderId, storeId: 'us-il-0001', amount: 1_198, currency: 'USD' };
  return { ...base, token, since: new Date(), ...change };
}

describe('on localstripe', () => {
  let subject: Awaited<ReturnType<typeof stripeSubject>>;
  beforeAll(async () => {
    subject = await stripeSubject();
  }, START_MS);
  afterAll(() => subject[Symbol.asyncDispose]());
  const charge = (change: Partial<ChargeRequest> = {}) => chargeOf(subject.tokens.good, change);

  test('asks before it charges again: a charge whose key Stripe has forgotten is found by the search', async () => {
    const { provider, rules } = subject;
    const request = charge();
    subject.lose('after');
    await expect(provider.charge(request)).rejects.toThrow(OutageError);
    rules.forgetKeys();
    rules.posts.length = 0;
    expect(await provider.charge(request)).toMatchObject({ status: 'approved' });
    expect(rules.posts).toEqual([]);
    expect(await subject.charged(request.orderId)).toEqual([1_198]);
  });

  test('a lost answer is not repeated by the client itself', async () => {
    const { provider, rules } = subject;
    rules.posts.length = 0;
    subject.lose('after');
    await expect(provider.charge(charge())).rejects.toThrow(OutageError);
    expect(rules.posts).toEqual(['/v1/payment_intents']);
  });

  test('while the search does not see a charge yet, its key protects it', async () => {
    const { provider, rules } = subject;
    const request = charge();
    subject.lose('after');
    await expect(provider.charge(request)).rejects.toThrow(OutageError);
    rules.indexed = false;
    expect(await provider.charge(request)).toMatchObject({ status: 'approved' });
    rules.indexed = true;
    expect(await subject.charged(request.orderId)).toEqual([1_198]);
  });

  test('another process asks for a key that is older than Stripe keeps keys', async () => {
    const { provider, rules } = subject;
    const request = charge({ since: new Date(Date.now() - 21 * 3_600_000) });
    const first = await provider.charge(request);
    rules.forgetKeys();
    const connection = { secretKey: { text: 'sk_test_local' }, apiBase: rules.url, callMsMax: 5_000 };
    const other = stripeProvider(connection);
    expect(await other.charge(request)).toEqual(first);
    await expect(other.charge({ ...request, amount: 1 })).rejects.toThrow('was used for another charge');
    await other.close();
    expect(await subject.charged(request.orderId)).toEqual([1_198]);
  });

  test('an intent that waits for the guest is cancelled, so that nobody pays for a failed order', async () => {
    const { provider, rules, tokens } = subject;
    rules.authenticationFails = false;
    const request = charge({ token: tokens.authenticated });
    const declined = { status: 'declined', code: 'authentication-required' };
    expect(await provider.charge(request)).toMatchObject(declined);
    expect(await provider.charge(request)).toMatchObject(declined);
    rules.authenticationFails = true;
    const [intent] = (await rules.intents()).filter(({ metadata }) => metadata.orderId === request.orderId);
    expect(intent?.status).toBe('canceled');
  });

  test.each([429, 409, 401, 403])('%i is an outage: it says nothing about the order', async (status) => {
    subject.rules.fault({ status });
    const failure = await subject.provider.charge(charge()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OutageError);
    expect(failure).not.toBeInstanceOf(UnexplainedError);
  });

  test('500 is unexplained, because Stripe may repeat it for the key', async () => {
    subject.rules.fault({ status: 500 });
    await expect(subject.provider.charge(charge())).rejects.toBeInstanceOf(UnexplainedError);
  });

  test('a call that is not answered in time is an outage', async () => {
    const connection = { secretKey: { text: 'sk_test_local' }, apiBase: subject.rules.url, callMsMax: 200 };
    const hasty = stripeProvider(connection);
    subject.rules.fault('silent');
    await expect(hasty.charge(charge())).rejects.toThrow(OutageError);
    await hasty.close();
  });

  test('a token that Stripe does not know concerns this order alone, and stays out of the error', async () => {
    for (const token of ['pm_nobody', '4242424242424242']) {
      const failure = await subject.provider.charge(charge({ token })).catch((error: unknown) => error);
      expect(faultOf(failure)).toBe('message');
      expect(String(failure)).not.toContain(token);
    }
  });

  test('the key is read again from its file, and a missing file is an outage', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ordermesh-stripe-'));
    const file = join(directory, 'key');
    await writeFile(file, 'sk_test_local\n');
    const provider = stripeProvider({ secretKey: { file }, apiBase: subject.rules.url, callMsMax: 5_000 });
    expect(await provider.charge(charge())).toMatchObject({ status: 'approved' });
    await rm(directory, { recursive: true });
    const failure = await provider.charge(charge()).catch((error: unknown) => error);
    expect(faultOf(failure)).toBe('outage');
    await provider.close();
  });

  test('disputes are movements', async () => {
    const created = Math.floor(Date.now() / 1_000);
    const payment_intent = { id: 'pi_1', object: 'payment_intent', metadata: { orderId: 'o-1' } };
    subject.rules.disputes.push({ id: 'dp_1', amount: 500, currency: 'jpy', created, payment_intent });
    const period = { since: new Date((created - 1) * 1_000), until: new Date((created + 1) * 1_000) };
    const found = [];
    for await (const movement of subject.provider.movements(period))
      if (movement.kind === 'dispute') found.push(movement);
    const at = new Date(created * 1_000);
    expect(found).toEqual([{ kind: 'dispute', reference: 'dp_1', orderId: 'o-1', amount: 500, currency: 'JPY', at }]);
  });
});

describe('on stripe-mock, which knows the shape of every request', () => {
  let server: LocalServer;
  beforeAll(async () => {
    server = await startStripeMock();
  }, 300_000);
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(['pm_card_visa', 'tok_visa'])(
    'charge with %s, search, refund and lists are as Stripe takes them',
    async (token) => {
      const provider = stripeProvider({ secretKey: { text: 'sk_test_123' }, apiBase: server.url, callMsMax: 5_000 });
      const seen: unknown[] = [];
      const noted = (work: Promise<unknown>) =>
        work.then(
          (value) => seen.push(value),
          (error: unknown) => seen.push(error),
        );
      await noted(provider.charge(chargeOf(token)));
      await noted(provider.charge(chargeOf(token, { since: new Date(0) })));
      const refund = {
        chargeReference: 'pi_1',
        amount: 1,
        currency: 'USD',
        orderId: 'o-1',
        idempotencyKey: randomUUID(),
      };
      await noted(provider.refund(refund));
      const period = { since: new Date(Date.now() - 1_000), until: new Date() };
      await noted(
        (async () => {
          for await (const _ of provider.movements(period));
        })(),
      );
      await provider.close();
      // Fixtures answer: an intent without a payment, a charge of another amount. None may be "invalid request".
      expect(seen.map(String).filter((text) => text.includes('Stripe, '))).toEqual([]);
    },
  );
});
