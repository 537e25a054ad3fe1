// Refunds at Stripe. Used by the Stripe provider.

import Stripe from 'stripe';
import { checkSame, PaymentRequestError, type RefundRequest } from '../provider.ts';
import { fromStripe, toStripe } from './amounts.ts';
import type { StripeClient } from './client.ts';
import { faultOfStripe } from './faults.ts';

/** Asks for an earlier refund of the key first: the list of a charge's refunds is complete at once. */
export async function refundOnce(client: StripeClient, request: RefundRequest): Promise<{ reference: string }> {
  const { idempotencyKey, chargeReference: payment_intent, amount, currency, orderId } = request;
  const cents = toStripe(amount, currency);
  if (!/^pi_\w+$/.test(payment_intent))
    throw new PaymentRequestError(`chargeReference ${payment_intent} is no payment of Stripe: pi_…`);
  const doing = `refunding order ${orderId}`;
  const known = client.pages(doing, (stripe, after, options) =>
    stripe.refunds.list({ payment_intent, limit: 100, ...after }, options),
  );
  for await (const refund of known) {
    if (refund.metadata?.idempotencyKey !== idempotencyKey) continue;
    const before = { amount: fromStripe(refund.amount, refund.currency), currency: refund.currency.toUpperCase() };
    checkSame(request, before, 'refund');
    return made(refund);
  }
  const params = { payment_intent, amount: cents, metadata: { idempotencyKey, orderId } };
  const refund = await client
    .call({ doing, idempotencyKey }, (stripe, options) => stripe.refunds.create(params, options))
    .catch((error: unknown) => {
      throw error instanceof Stripe.errors.StripeCardError ? faultOfStripe(error, doing) : error;
    });
  return made(refund);
}

/** @throws PaymentRequestError when the bank refused the refund: the store returns the money in another way */
function made({ id, status, failure_reason }: Stripe.Refund): { reference: string } {
  if (status === 'failed' || status === 'canceled')
    throw new PaymentRequestError(`refund ${id} at Stripe is ${status} (${failure_reason ?? 'without a reason'})`);
  return { reference: id };
}
