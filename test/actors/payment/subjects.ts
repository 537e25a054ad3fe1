// The payment providers that the conformance suite runs on, each with a way to disturb it and to see what money has really moved.

import type { PaymentProvider } from '../../../actors/payment/provider.ts';
import { simulatedProvider } from '../../../actors/payment/simulated-provider.ts';
import { stripeProvider } from '../../../actors/payment/stripe/stripe-provider.ts';
import { createTestDatabase } from '../../support/servers.ts';
import { startToggledProxy } from '../../support/toggled-proxy.ts';
import { startLocalStripe } from './stripe/local-stripe.ts';
import { type StripeRules, startStripeRules } from './stripe/stripe-rules.ts';

export interface Subject extends AsyncDisposable {
  provider: PaymentProvider;
  tokens: { good: string; declined: string; authenticated: string };
  /** The answer of the next call is lost, before or after the provider has done its work. */
  lose(when: 'before' | 'after'): void;
  down(): void;
  up(): void;
  /** Amounts of the charges that were made for an order. */
  charged(orderId: string): Promise<number[]>;
  /** Amounts of the refunds that were made for an order. */
  refunded(orderId: string): Promise<number[]>;
}

export async function simulatedSubject(): Promise<Subject> {
  const database = await createTestDatabase();
  const proxy = await startToggledProxy(database.url);
  const url = new URL(database.url);
  url.host = proxy.address;
  // Three numbers a call: whether the answer is lost, when, and the latency.
  const randoms: number[] = [];
  const provider = simulatedProvider({
    database: url.href,
    latencyMeanMs: 0,
    latencyMsMax: 1,
    declineRate: 0,
    timeoutRate: 0.5,
    callMsMax: 1_000,
    random: () => randoms.shift() ?? 0.9,
  });
  const amounts = async (table: string, orderId: string) => {
    const rows = await database.sql<{ amount: number }[]>`
      select amount from ${database.sql(table)} where order_id = ${orderId} order by created_at`;
    return rows.map(({ amount }) => amount);
  };
  return {
    provider,
    tokens: {
      good: 'tok_visa',
      declined: 'tok_decline_card-declined',
      authenticated: 'tok_decline_authentication-required',
    },
    lose: (when) => void randoms.push(0, when === 'before' ? 0.9 : 0.1, 0),
    down: () => proxy.interrupt(),
    up: () => proxy.resume(),
    async charged(orderId) {
      const rows = await database.sql<{ amount: number }[]>`
        select amount from simulated_provider.charges where order_id = ${orderId} and status = 'approved'`;
      return rows.map(({ amount }) => amount);
    },
    refunded: (orderId) => amounts('simulated_provider.refunds', orderId),
    async [Symbol.asyncDispose]() {
      await provider.close();
      await proxy.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

export async function stripeSubject(): Promise<Subject & { rules: StripeRules }> {
  const server = await startLocalStripe();
  const rules = await startStripeRules(server.url);
  const provider = stripeProvider({ secretKey: { text: 'sk_test_local' }, apiBase: rules.url, callMsMax: 5_000 });
  const amountsOf = (all: { amount: number; metadata: Record<string, string> }[], orderId: string) =>
    all.filter(({ metadata }) => metadata.orderId === orderId).map(({ amount }) => amount);
  return {
    provider,
    rules,
    tokens: {
      good: 'pm_card_visa',
      declined: 'pm_card_chargeCustomerFail',
      authenticated: await card(server.url, '4000002500003155'),
    },
    lose: (when) => rules.fault(`lose-${when}`),
    down: rules.down,
    up: rules.up,
    async charged(orderId) {
      const paid = (await rules.intents()).filter(({ status }) => status === 'succeeded');
      return amountsOf(paid, orderId);
    },
    refunded: async (orderId) => amountsOf(await rules.refunds(), orderId),
    async [Symbol.asyncDispose]() {
      await provider.close();
      await rules[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A payment method of a test card. */
async function card(url: string, number: string): Promise<string> {
  const form = {
    type: 'card',
    'card[number]': number,
    'card[exp_month]': '12',
    'card[exp_year]': '2040',
    'card[cvc]': '123',
  };
  const answer = await fetch(`${url}/v1/payment_methods`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_local' },
    body: new URLSearchParams(form),
  });
  return ((await answer.json()) as { id: string }).id;
}
