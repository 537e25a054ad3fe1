// Reads what matters off an event of Stripe. Used by the webhook listener.

import type Stripe from 'stripe';
import type { ProviderEvent } from '../../../store/index.ts';
import { fromStripe } from '../stripe/amounts.ts';

/** Tells the order of a payment, where the event itself does not. */
export type OrderOf = (paymentIntent: string) => Promise<string | undefined>;

/** @throws what `orderOf` throws: the event is told again then */
export async function readStripeEvent(event: Stripe.Event, orderOf: OrderOf): Promise<ProviderEvent> {
  const base = { id: event.id, provider: 'stripe', type: event.type, occurredAt: new Date(event.created * 1_000) };
  switch (event.type) {
    case 'charge.dispute.created':
    case 'charge.dispute.updated':
    case 'charge.dispute.closed':
    case 'charge.dispute.funds_withdrawn':
    case 'charge.dispute.funds_reinstated':
      return { ...base, ...(await ofDispute(event, orderOf)) };
    case 'charge.refunded': {
      const { id, amount_refunded, currency, metadata } = event.data.object;
      return { ...base, orderId: metadata.orderId, ...money(id, amount_refunded, currency) };
    }
    case 'refund.created':
    case 'refund.updated':
    case 'refund.failed': {
      const { id, amount, currency, metadata, payment_intent } = event.data.object;
      // A refund of the dashboard has no metadata.
      const orderId = metadata?.orderId ?? (await ofIntent(payment_intent, orderOf));
      return { ...base, orderId, ...money(id, amount, currency) };
    }
    default:
      return base;
  }
}

async function ofDispute(event: Stripe.Event & { data: { object: Stripe.Dispute } }, orderOf: OrderOf) {
  const { id, amount, currency, reason, status, created, payment_intent, evidence_details } = event.data.object;
  const orderId = await ofIntent(payment_intent, orderOf);
  const due = evidence_details.due_by;
  return {
    orderId,
    ...money(id, amount, currency),
    dispute: {
      reference: id,
      orderId,
      chargeReference: nameOf(payment_intent),
      amount: fromStripe(amount, currency),
      currency: currency.toUpperCase(),
      reason,
      status,
      openedAt: new Date(created * 1_000),
      dueBy: due === null ? undefined : new Date(due * 1_000),
      isClosed: event.type === 'charge.dispute.closed',
    },
  };
}

function money(reference: string, amount: number, currency: string) {
  return { reference, amount: fromStripe(amount, currency), currency: currency.toUpperCase() };
}

async function ofIntent(intent: string | Stripe.PaymentIntent | null, orderOf: OrderOf): Promise<string | undefined> {
  const name = nameOf(intent);
  return name === undefined ? undefined : await orderOf(name);
}

function nameOf(intent: string | Stripe.PaymentIntent | null): string | undefined {
  return typeof intent === 'string' ? intent : intent?.id;
}
