// Stripe as the payment provider. open-provider.ts makes it where ORDERMESH_PAYMENT_PROVIDER=stripe.

import { OutageError } from '../../../runtime/actor.ts';
import { type ChargeRequest, type ChargeResult, checkKey, type PaymentProvider } from '../provider.ts';
import { StripeClient, type StripeConnection } from './client.ts';
import { createIntent, findResult } from './intents.ts';
import { movementsOf } from './movements.ts';
import { refundOnce } from './refunds.ts';

/** Stripe keeps an idempotency key for at least 24 hours. The rest is for clocks and for calls that take long. */
const KEY_KEPT_MS = 20 * 3_600_000;
/** The search for a charge that is forgotten here still finds the key at Stripe, so this only bounds memory. */
const UNANSWERED_MAX = 10_000;

/**
 * Charges through PaymentIntents. A key whose first call had no answer, or that may be older than Stripe remembers, is asked for first; only
 * where Stripe has nothing is the charge made, with the same key.
 */
export function stripeProvider(connection: StripeConnection, now: () => number = Date.now): PaymentProvider {
  const client = new StripeClient(connection);
  const unanswered = new Set<string>();
  const mustAsk = ({ idempotencyKey, since }: ChargeRequest) =>
    since === undefined || unanswered.has(idempotencyKey) || now() - since.getTime() > KEY_KEPT_MS;

  async function charge(request: ChargeRequest): Promise<ChargeResult> {
    const { idempotencyKey } = request;
    checkKey(idempotencyKey);
    try {
      const known = mustAsk(request) ? await findResult(client, request) : undefined;
      const result = known ?? (await createIntent(client, request));
      unanswered.delete(idempotencyKey);
      return result;
    } catch (error) {
      if (error instanceof OutageError) remember(unanswered, idempotencyKey);
      throw error;
    }
  }

  return {
    charge,
    async refund(request) {
      checkKey(request.idempotencyKey);
      return await refundOnce(client, request);
    },
    movements: (period) => movementsOf(client, period),
    close: async () => client.close(),
  };
}

function remember(keys: Set<string>, key: string): void {
  keys.delete(key);
  keys.add(key);
  if (keys.size > UNANSWERED_MAX) for (const oldest of keys) return void keys.delete(oldest);
}
