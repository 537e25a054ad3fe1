import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { paymentActor } from '../../actors/payment/actor.ts';
import type { PaymentProvider } from '../../actors/payment/provider.ts';
import {
  declineCode,
  type SimulatedProviderOptions,
  simulatedProvider,
} from '../../actors/payment/simulated-provider.ts';
import type { Order } from '../../contracts/order/order.ts';
import { OutageError, skip } from '../../runtime/actor.ts';
import { describeError, faultOf } from '../../runtime/outage.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { event, testMessage, testOrder, turn } from './support.ts';

let database: TestDatabase;
const providers: PaymentProvider[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  for (const provider of providers) await provider.close();
  await database[Symbol.asyncDispose]();
});

function provider(change: Partial<SimulatedProviderOptions> = {}): PaymentProvider {
  const made = simulatedProvider({
    database: database.url,
    latencyMeanMs: 0,
    latencyMsMax: 1,
    declineRate: 0,
    timeoutRate: 0,
    ...change,
  });
  providers.push(made);
  return made;
}

/** A charge, but for its key. */
const card = { orderId: 'an order', storeId: 'us-il-0001', amount: 1, currency: 'USD', token: 'tok_x' };

function validated(order: Order) {
  const { orderId, storeId, total, currency } = order;
  const value = { orderId, storeId, occurredAt: '2026-11-22T18:00:02.000Z', total, currency, order };
  return testMessage(orderId, value, { topic: 'validated-orders', type: 'order.validated' });
}

async function ledger(orderId: string) {
  return database.sql`select status, amount, attempts from simulated_provider.charges where idempotency_key = ${orderId}`;
}

describe('payment', () => {
  test('charges an order once, and pays it without its token', async () => {
    const order = testOrder();
    const [outputs] = await turn(database.sql, paymentActor(provider(), new Registry()), [validated(order)]);
    const { type, value, wire } = event(outputs);
    expect(type).toBe('order.paid');
    expect(value).toMatchObject({ orderId: order.orderId, total: 599, payment: { method: 'card' } });
    expect(value.order).toEqual({ ...order, payment: { method: 'card' } });
    expect(wire).not.toContain('tok_');
    expect(await ledger(order.orderId)).toEqual([{ status: 'approved', amount: 599, attempts: 1 }]);
  });

  test('repeats the output of a redelivery to the byte, and money moves once', async () => {
    const messages = [testOrder(), testOrder({ payment: { method: 'card', token: 'tok_decline_expired-card' } })].map(
      validated,
    );
    const actor = paymentActor(provider(), new Registry());
    const first = await turn(database.sql, actor, messages);
    await delay(2);
    const again = await turn(database.sql, actor, messages);
    expect(again.map((outputs) => event(outputs).wire)).toEqual(first.map((outputs) => event(outputs).wire));
    expect(first.map((outputs) => event(outputs).type)).toEqual(['order.paid', 'order.payment-failed']);
    for (const { key } of messages) expect(await ledger(key)).toMatchObject([{ attempts: 2 }]);
    const [row] =
      await database.sql`select count(*)::int as n from payments where order_id = any(${messages.map((m) => m.key)}::uuid[])`;
    expect(row?.n).toBe(2);
  });

  test('says why a payment failed', async () => {
    const order = testOrder({ payment: { method: 'app', token: 'tok_decline_insufficient-funds' } });
    const [outputs] = await turn(database.sql, paymentActor(provider(), new Registry()), [validated(order)]);
    expect(event(outputs)).toMatchObject({
      type: 'order.payment-failed',
      topic: 'validated-orders',
      value: { payment: { method: 'app', code: 'insufficient-funds' } },
    });
  });

  test('asks no provider about cash', async () => {
    const order = testOrder({ payment: { method: 'cash' } });
    const [outputs] = await turn(database.sql, paymentActor(provider({ declineRate: 1 }), new Registry()), [
      validated(order),
    ]);
    expect(event(outputs)).toMatchObject({
      type: 'order.paid',
      value: { payment: { reference: `cash_${order.orderId}` } },
    });
    expect(await ledger(order.orderId)).toEqual([]);
  });

  test.each([
    ['before the charge', 0.9, []],
    ['after the charge', 0.1, [{ status: 'approved', amount: 599, attempts: 1 }]],
  ])('takes an answer lost %s for an outage, and the next attempt makes one charge', async (_, when, booked) => {
    const order = testOrder();
    const randoms = [0, when, 0];
    const silent = paymentActor(provider({ timeoutRate: 0.5, random: () => randoms.shift() ?? 0.9 }), new Registry());
    await expect(turn(database.sql, silent, [validated(order)])).rejects.toBeInstanceOf(OutageError);
    expect(await ledger(order.orderId)).toEqual(booked);
    const [outputs] = await turn(database.sql, silent, [validated(order)]);
    expect(event(outputs).type).toBe('order.paid');
    expect(await ledger(order.orderId)).toMatchObject([{ status: 'approved', attempts: booked.length + 1 }]);
  });

  test('makes one charge of a key that is asked for many times at once', async () => {
    const key = testOrder().orderId;
    const request = { ...card, idempotencyKey: key, orderId: key, amount: 100 };
    const [one, two] = [provider(), provider()];
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : two).charge(request)),
    );
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(await ledger(key)).toMatchObject([{ attempts: 20 }]);
    await expect(one.charge({ ...request, amount: 101 })).rejects.toThrow('was used for another charge');
  });

  test('takes the code of a declined charge from its table, never from the token', async () => {
    const strange = ['tok_decline_\0', 'tok_decline_<b>x</b>', 'tok_decline_constructor'];
    const orders = strange.map((token) => testOrder({ payment: { method: 'card', token } }));
    const outputs = await turn(database.sql, paymentActor(provider(), new Registry()), orders.map(validated));
    for (const one of outputs)
      expect(event(one).value.payment).toEqual({
        method: 'card',
        code: 'card-declined',
        detail: 'the payment provider declined the charge',
      });
  });

  test('fails only the charge that can not be booked, and names what the database said', async () => {
    const charge = (currency: string) => ({ ...card, idempotencyKey: testOrder().orderId, currency });
    const one = provider();
    const results = await Promise.allSettled(
      ['USD', 'USD', 'U\0', 'USD', 'USD'].map((currency) => one.charge(charge(currency))),
    );
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    const { reason } = results[2] as PromiseRejectedResult;
    expect(reason).toMatchObject({ code: '22021' });
    expect(faultOf(reason)).toBe('message');
  });

  test('takes a ledger that does not answer for down, leaves no session behind, and goes on after it', async () => {
    const one = provider({ callMsMax: 200 });
    const locked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const holder = database.sql.begin(async (sql) => {
      await sql`lock table simulated_provider.charges in access exclusive mode`;
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    const request = { ...card, idempotencyKey: testOrder().orderId };
    const failure = await one.charge(request).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OutageError);
    expect(describeError(failure)).toContain('has not answered');
    await vi.waitFor(
      async () => {
        const [row] = await database.sql`
          select count(*)::int as n from pg_stat_activity
          where datname = current_database() and application_name = 'simulated-payment-provider' and wait_event_type = 'Lock'`;
        expect(row?.n).toBe(0);
      },
      { timeout: 20_000 },
    );
    release.resolve();
    await holder;
    expect(await one.charge(request)).toMatchObject({ status: 'approved' });
  });

  test('reports a provider that is down as an outage', async () => {
    const down = provider({ database: 'postgres://stranger@127.0.0.1:1/none' });
    await expect(
      turn(database.sql, paymentActor(down, new Registry()), [validated(testOrder())]),
    ).rejects.toBeInstanceOf(OutageError);
  });

  test('declines the same share of tokens every time', () => {
    const declined = Array.from({ length: 20_000 }, (_, n) => declineCode(`tok_${n}`, 0.02)).filter(Boolean).length;
    expect(declined / 20_000).toBeCloseTo(0.02, 2);
    expect(declineCode('tok_decline_', 0)).toBe('card-declined');
  });

  test('skips what is not a validated order', () => {
    const actor = paymentActor(provider(), new Registry());
    const { orderId } = testOrder();
    expect(actor.decode(testMessage(orderId, { orderId }, { type: 'order.paid' }))).toBe(skip);
    expect(() => actor.decode(testMessage(orderId, { orderId }))).toThrow('no ce_type header');
    expect(() =>
      actor.decode({ ...testMessage(orderId, { orderId }, { type: 'order.validated' }), value: Buffer.from('{') }),
    ).toThrow(expect.objectContaining({ code: 'invalid-event' }));
    expect(() => actor.decode(testMessage('b', { orderId }, { type: 'order.validated' }))).toThrow('is not the key b');
  });
});
