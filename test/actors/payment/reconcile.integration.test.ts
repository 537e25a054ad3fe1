import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { paymentActor } from '../../../actors/payment/actor.ts';
import type { PaymentProvider } from '../../../actors/payment/provider.ts';
import { reconcile } from '../../../actors/payment/reconcile.ts';
import { simulatedProvider } from '../../../actors/payment/simulated-provider.ts';
import type { Order } from '../../../contracts/order/order.ts';
import { createTestDatabase, type TestDatabase } from '../../support/servers.ts';
import { testMessage, testOrder, turn } from '../support.ts';

let database: TestDatabase;
let provider: PaymentProvider;
beforeAll(async () => {
  database = await createTestDatabase();
  provider = simulatedProvider({
    database: database.url,
    latencyMeanMs: 0,
    latencyMsMax: 1,
    declineRate: 0,
    timeoutRate: 0,
    callMsMax: 5_000,
  });
});
afterAll(async () => {
  await provider.close();
  await database[Symbol.asyncDispose]();
});

const MINUTE_MS = 60_000;

async function pay(...orders: Order[]): Promise<void> {
  const messages = orders.map((order) => {
    const { orderId, storeId, total, currency } = order;
    const value = { orderId, storeId, occurredAt: new Date().toISOString(), total, currency, order };
    return testMessage(orderId, value, { topic: 'validated-orders', type: 'order.validated' });
  });
  await turn(database.sql, paymentActor(provider, new Registry()), messages);
}

function reconciled(now = new Date()) {
  const period = { since: new Date(Date.now() - 10 * MINUTE_MS), until: new Date(Date.now() + MINUTE_MS) };
  return reconcile(provider, database.sql, period, now);
}

test('the books agree while both sides have the same, and each difference names its order', async () => {
  const declined = testOrder({ payment: { method: 'card', token: 'tok_decline_expired-card' } });
  const [good, lost, other, missing] = [testOrder(), testOrder(), testOrder(), testOrder()];
  await pay(good, lost, other, missing, declined, testOrder({ payment: { method: 'cash' } }));
  const agreed = { currency: 'USD', charges: 4, ledger: 4 * 599, provider: 4 * 599 };
  expect(await reconciled()).toEqual({ sums: [agreed], inFlight: 0, disputes: 0, faults: [] });

  await database.sql`delete from payments where order_id = ${lost.orderId}`;
  expect(await reconciled()).toMatchObject({ inFlight: 1, faults: [] });

  await database.sql`update payments set amount = 600 where order_id = ${other.orderId}`;
  await database.sql`delete from simulated_provider.charges where idempotency_key = ${missing.orderId}`;
  const charge = `ch_${good.orderId}`;
  const refund = { idempotencyKey: 'by-hand', chargeReference: charge, amount: 99, currency: 'USD' };
  await provider.refund({ ...refund, orderId: good.orderId });
  const { sums, inFlight, faults } = await reconciled(new Date(Date.now() + 6 * MINUTE_MS));
  expect(inFlight).toBe(0);
  expect(sums).toEqual([{ currency: 'USD', charges: 3, ledger: 2 * 599 + 600, provider: 2 * 599 }]);
  expect(faults.map(({ kind, orderId }) => `${kind} ${orderId}`).sort()).toEqual(
    [
      `missing-in-ledger ${lost.orderId}`,
      `differs ${other.orderId}`,
      `missing-at-provider ${missing.orderId}`,
      `refund-not-in-ledger ${good.orderId}`,
    ].sort(),
  );
});
