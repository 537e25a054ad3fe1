// What has moved at Stripe. Used by the Stripe provider, for reconciliation.

import type Stripe from 'stripe';
import type { Movement, Period } from '../provider.ts';
import { fromStripe } from './amounts.ts';
import type { StripeClient } from './client.ts';

/** Charges, then refunds, then disputes; the newest of each first. */
export async function* movementsOf(client: StripeClient, { since, until }: Period): AsyncGenerator<Movement> {
  const created = { gte: Math.floor(since.getTime() / 1_000), lt: Math.ceil(until.getTime() / 1_000) };
  const charges = client.pages('listing charges', (stripe, after, options) =>
    stripe.paymentIntents.list({ created, limit: 100, ...after }, options),
  );
  for await (const intent of charges)
    if (intent.status === 'succeeded') yield movement('charge', intent, intent.metadata);

  const expand = ['data.payment_intent'];
  const refunds = client.pages('listing refunds', (stripe, after, options) =>
    stripe.refunds.list({ created, expand, limit: 100, ...after }, options),
  );
  for await (const refund of refunds)
    if (refund.status !== 'failed' && refund.status !== 'canceled')
      yield movement('refund', refund, { ...orderOf(refund.payment_intent), ...refund.metadata });

  const disputes = client.pages('listing disputes', (stripe, after, options) =>
    stripe.disputes.list({ created, expand, limit: 100, ...after }, options),
  );
  for await (const dispute of disputes) yield movement('dispute', dispute, orderOf(dispute.payment_intent));
}

/** The order of what was refunded or disputed, from the charge's own metadata; its idempotency key is the charge's. */
function orderOf(intent: string | Stripe.PaymentIntent | null): { orderId?: string } {
  const orderId = typeof intent === 'object' ? intent?.metadata.orderId : undefined;
  return orderId === undefined ? {} : { orderId };
}

function movement(
  kind: Movement['kind'],
  { id, amount, currency, created }: { id: string; amount: number; currency: string; created: number },
  { orderId, idempotencyKey }: { orderId?: string; idempotencyKey?: string },
): Movement {
  return {
    kind,
    reference: id,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    orderId,
    amount: fromStripe(amount, currency),
    currency: currency.toUpperCase(),
    at: new Date(created * 1_000),
  };
}
