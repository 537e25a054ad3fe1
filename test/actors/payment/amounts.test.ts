import fc from 'fast-check';
import { expect, test } from 'vitest';
import { paymentSettings } from '../../../actors/payment/settings.ts';
import { fromStripe, toStripe } from '../../../actors/payment/stripe/amounts.ts';
import { loadConfig } from '../../../contracts/config/config.ts';

test.each([
  ['USD', 1_198, 1_198],
  ['JPY', 1_198, 1_198],
  ['KWD', 5_120, 5_120],
  ['ISK', 5, 500],
  ['UGX', 5_000, 500_000],
])('%s: %i minor units are %i at Stripe', (currency, ours, stripes) => {
  expect(toStripe(ours, currency)).toBe(stripes);
  expect(fromStripe(stripes, currency.toLowerCase())).toBe(ours);
});

test('an amount that Stripe can not move is named', () => {
  expect(() => toStripe(5_124, 'KWD')).toThrow(
    'amount 5124 of KWD can not be charged: Stripe takes KWD in steps of 10',
  );
  expect(() => toStripe(Number.MAX_SAFE_INTEGER, 'ISK')).toThrow('ISK');
});

test('what Stripe takes comes back as it was', () => {
  const currency = fc.constantFrom('USD', 'EUR', 'JPY', 'KWD', 'ISK', 'CLP', 'HUF', 'TWD', 'BHD');
  fc.assert(
    fc.property(currency, fc.integer({ min: 0, max: 1e9 }), (code, tens) => {
      const amount = tens * 10;
      expect(fromStripe(toStripe(amount, code), code)).toBe(amount);
    }),
  );
});

test('the provider is chosen by configuration, and says what it lacks', () => {
  expect(() => paymentSettings(loadConfig({ ORDERMESH_PAYMENT_PROVIDER: 'stripe' }))).toThrow(
    /STRIPE_SECRET_KEY is not set.*STRIPE_SECRET_KEY_FILE/,
  );
  expect(() => loadConfig({ ORDERMESH_PAYMENT_PROVIDER: 'paypal' })).toThrow('one of simulated, stripe');
  const settings = paymentSettings(
    loadConfig({ ORDERMESH_PAYMENT_PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_1' }),
  );
  expect(settings).toEqual({
    provider: 'stripe',
    secretKey: { text: 'sk_test_1' },
    apiBase: 'https://api.stripe.com',
    callMsMax: 10_000,
  });
  const database = { DATABASE_URL: 'postgres://localhost/x' };
  expect(paymentSettings(loadConfig(database))).toMatchObject({ provider: 'simulated', latencyMeanMs: 10 });
  expect(() => paymentSettings(loadConfig({ ...database, ORDERMESH_HOST: '0.0.0.0' }))).toThrow('STRIPE_SECRET_KEY');
});
