// Amounts as Stripe counts them. Used by the Stripe provider and by its webhooks.

import { currencyDigits } from '../../../contracts/order/money.ts';
import { PaymentRequestError } from '../provider.ts';

/** https://docs.stripe.com/currencies#zero-decimal. ISK and UGX are in two decimals there, although they have none. */
const zeroDecimal = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '));
/** https://docs.stripe.com/currencies#three-decimal: the last digit has to be 0. */
const threeDecimal = new Set('BHD JOD KWD OMR TND'.split(' '));

function stripeDigits(currency: string): number {
  if (zeroDecimal.has(currency)) return 0;
  return threeDecimal.has(currency) ? 3 : 2;
}

/**
 * @param amount minor units of ISO 4217
 * @throws PaymentRequestError for an amount that Stripe can't move
 */
export function toStripe(amount: number, currency: string): number {
  const scaled = amount * 10 ** (stripeDigits(currency) - currencyDigits(currency));
  const step = threeDecimal.has(currency) ? 10 : 1;
  if (!Number.isSafeInteger(scaled) || scaled % step !== 0)
    throw new PaymentRequestError(
      `amount ${amount} of ${currency} can not be charged: Stripe takes ${currency} in steps of ${step / 10 ** (stripeDigits(currency) - currencyDigits(currency))} minor units`,
    );
  return scaled;
}

/** @returns minor units of ISO 4217 */
export function fromStripe(amount: number, currency: string): number {
  const upper = currency.toUpperCase();
  return Math.round(amount * 10 ** (currencyDigits(upper) - stripeDigits(upper)));
}
