// What an error of Stripe's client means for the caller. Used by the Stripe provider.

import Stripe from 'stripe';
import { OutageError, UnexplainedError } from '../../../runtime/actor.ts';
import type { DeclineCode } from '../decline-codes.ts';
import { PaymentRequestError, providerOutage } from '../provider.ts';

/** https://docs.stripe.com/declines/codes. A code that is missing here is a plain decline. */
const declineCodes: Readonly<Record<string, DeclineCode>> = {
  authentication_not_handled: 'authentication-required',
  authentication_required: 'authentication-required',
  payment_intent_authentication_failure: 'authentication-required',
  card_not_supported: 'card-not-supported',
  currency_not_supported: 'card-not-supported',
  not_permitted: 'card-not-supported',
  service_not_allowed: 'card-not-supported',
  transaction_not_allowed: 'card-not-supported',
  do_not_honor: 'do-not-honor',
  call_issuer: 'do-not-honor',
  no_action_taken: 'do-not-honor',
  restricted_card: 'do-not-honor',
  expired_card: 'expired-card',
  invalid_expiry_month: 'expired-card',
  invalid_expiry_year: 'expired-card',
  fraudulent: 'fraud-suspected',
  merchant_blacklist: 'fraud-suspected',
  security_violation: 'fraud-suspected',
  incorrect_cvc: 'incorrect-cvc',
  invalid_cvc: 'incorrect-cvc',
  insufficient_funds: 'insufficient-funds',
  card_velocity_exceeded: 'limit-exceeded',
  withdrawal_count_limit_exceeded: 'limit-exceeded',
  lost_card: 'lost-card',
  pickup_card: 'stolen-card',
  stolen_card: 'stolen-card',
  issuer_not_available: 'processing-error',
  processing_error: 'processing-error',
  reenter_transaction: 'processing-error',
  try_again_later: 'processing-error',
};

/** Of a declined charge or of an intent's last error. The decline's own code says more than the error's. */
export function declineCodeOfStripe(error: {
  code?: string | undefined;
  decline_code?: string | undefined;
}): DeclineCode {
  return declineCodes[error.decline_code ?? ''] ?? declineCodes[error.code ?? ''] ?? 'card-declined';
}

/**
 * What the caller gets. An outage: no connection, the time limit passed, 429, another request with the same key in flight (409), and
 * credentials or rights that Stripe refuses, since they stop every order alike. 5xx is an `UnexplainedError`: Stripe may repeat it for
 * one key for a day, and then it is parked instead of being tried for ever. Anything else concerns this request alone.
 * @param hidden text that must not get into logs and dead letters
 */
export function faultOfStripe(error: unknown, doing: string, hidden?: string): Error {
  if (error instanceof OutageError || error instanceof PaymentRequestError) return error;
  if (!(error instanceof Stripe.errors.StripeError)) return error instanceof Error ? error : new Error(String(error));
  const { statusCode, code, requestId } = error;
  const text = hidden === undefined || hidden === '' ? error.message : error.message.replaceAll(hidden, '[token]');
  const about = [code, requestId].filter((part) => part !== undefined && part !== '').join(', ');
  const what = `Stripe, ${doing}: ${text}${about === '' ? '' : ` (${about})`}`;
  if (error instanceof Stripe.errors.StripeConnectionError) return providerOutage(`does not answer (${what})`);
  if (error instanceof Stripe.errors.StripeRateLimitError) return providerOutage(`asks for fewer requests (${what})`);
  if (error instanceof Stripe.errors.StripeAuthenticationError)
    return providerOutage(`refuses the key in STRIPE_SECRET_KEY (${what})`);
  if (error instanceof Stripe.errors.StripePermissionError)
    return providerOutage(`does not allow this to the key in STRIPE_SECRET_KEY (${what})`);
  if (statusCode === 409) return providerOutage(`is still busy with the same request (${what})`);
  if (error instanceof Stripe.errors.StripeAPIError)
    return new UnexplainedError(`the payment provider has failed (${what}); card payments wait`);
  return new PaymentRequestError(`${what}; the same request will fail again`);
}
