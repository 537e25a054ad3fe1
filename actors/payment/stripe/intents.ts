// Charges as PaymentIntents of Stripe. Used by the Stripe provider.

import Stripe from 'stripe';
import { declined } from '../decline-codes.ts';
import { type ChargeRequest, type ChargeResult, checkSame, PaymentRequestError, providerOutage } from '../provider.ts';
import { fromStripe, toStripe } from './amounts.ts';
import type { StripeClient } from './client.ts';
import { declineCodeOfStripe } from './faults.ts';

/** Charges the card at once. @throws as `StripeClient.call` */
export async function createIntent(client: StripeClient, request: ChargeRequest): Promise<ChargeResult> {
  const { idempotencyKey, orderId, storeId, amount, currency, token } = request;
  try {
    const params: Stripe.PaymentIntentCreateParams = {
      amount: toStripe(amount, currency),
      currency: currency.toLowerCase(),
      payment_method: await methodOf(client, request),
      allowed_payment_method_types: ['card'],
      confirm: true,
      // The guest has left the till and cannot authenticate the payment any more.
      error_on_requires_action: true,
      metadata: { idempotencyKey, orderId, storeId },
    };
    const words = { doing: `charging order ${orderId}`, hidden: token, idempotencyKey };
    const intent = await client.call(words, (stripe, options) => stripe.paymentIntents.create(params, options));
    return await resultOf(client, intent);
  } catch (error) {
    if (error instanceof Stripe.errors.StripeCardError) return declined(declineCodeOfStripe(error));
    throw error;
  }
}

/** A payment method (`pm_…`), or one that is made of a token (`tok_…`) of older integrations, once for the key since a token counts once. */
async function methodOf(client: StripeClient, { token, orderId, idempotencyKey }: ChargeRequest): Promise<string> {
  if (/^(pm|src|card)_\w+$/.test(token)) return token;
  if (!/^tok_\w+$/.test(token))
    throw new PaymentRequestError(
      "order.payment.token is none of Stripe's: a till sends the id of a payment method, pm_…, or a token, tok_…",
    );
  const words = {
    doing: `reading the token of order ${orderId}`,
    hidden: token,
    idempotencyKey: `${idempotencyKey}:method`,
  };
  const method = await client.call(words, (stripe, options) =>
    stripe.paymentMethods.create({ type: 'card', card: { token } }, options),
  );
  return method.id;
}

/**
 * The result of the charge that Stripe knows under this key, or undefined.
 * The search sees a charge up to a minute late, or later while Stripe has trouble. So "nothing found" is no proof while the key is young. Then
 * Stripe's idempotency is the proof: for at least 24 hours it answers a known key with what happened the first time.
 */
export async function findResult(client: StripeClient, request: ChargeRequest): Promise<ChargeResult | undefined> {
  const { idempotencyKey, orderId } = request;
  const query = `metadata['idempotencyKey']:'${idempotencyKey}'`;
  const { data } = await client.call({ doing: `asking for the charge of order ${orderId}` }, (stripe, options) =>
    stripe.paymentIntents.search({ query, limit: 10 }, options),
  );
  // The search compares without regard to case.
  const found = data.filter(({ metadata }) => metadata.idempotencyKey === idempotencyKey);
  const paid = found.filter(({ status }) => status === 'succeeded');
  if (paid.length > 1)
    throw new PaymentRequestError(
      `order ${orderId} was charged ${paid.length} times at Stripe: ${paid.map(({ id }) => id).join(', ')}`,
    );
  const intent = paid[0] ?? found[0];
  if (intent === undefined) return undefined;
  const known = { amount: fromStripe(intent.amount, intent.currency), currency: intent.currency.toUpperCase() };
  checkSame(request, known, 'charge');
  return await resultOf(client, intent);
}

async function resultOf(client: StripeClient, intent: Stripe.PaymentIntent): Promise<ChargeResult> {
  const { id, status, last_payment_error: failure } = intent;
  switch (status) {
    case 'succeeded':
      return { status: 'approved', reference: id };
    case 'requires_action':
      return await abandon(client, id);
    case 'canceled':
      return declined(
        failure === null || failure === undefined ? 'authentication-required' : declineCodeOfStripe(failure),
      );
    case 'requires_payment_method':
      return declined(failure === null || failure === undefined ? 'card-declined' : declineCodeOfStripe(failure));
    default:
      // `processing`, or a state that a confirmed card payment does not have: Stripe decides it later.
      throw providerOutage(`has not decided about ${id} yet (${status})`);
  }
}

/** Cancels the intent, so that the guest cannot complete the payment after the order has failed. A payment completed before that counts. */
async function abandon(client: StripeClient, id: string): Promise<ChargeResult> {
  const cancel = { cancellation_reason: 'abandoned' } as const;
  const intent = await client.call({ doing: `cancelling ${id}` }, (stripe, options) =>
    stripe.paymentIntents.cancel(id, cancel, options).catch((error: unknown) => {
      const isOver =
        error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'payment_intent_unexpected_state';
      if (!isOver) throw error;
      return stripe.paymentIntents.retrieve(id, {}, options);
    }),
  );
  return intent.status === 'succeeded' ? { status: 'approved', reference: id } : declined('authentication-required');
}
