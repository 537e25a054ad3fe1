import type { Registry } from 'prom-client';
import type { OrderValidated } from '../../contracts/events.ts';
import { acceptedTimeHeader } from '../../contracts/headers.ts';
import { type Actor, type ActorContext, skip } from '../../runtime/actor.ts';
import { giveBackStock, type PaymentOutcome, recordPayments, type StoredPayment } from '../../store/index.ts';
import { acceptedAtOf, createOrderAge } from '../../telemetry/order-age.ts';
import { eventType, eventValue } from '../event-decoder.ts';
import { paymentCounter, TurnCount } from '../metrics.ts';
import { measuredProvider } from './measured-provider.ts';
import { openProvider } from './open-provider.ts';
import { paymentOutputs } from './outputs.ts';
import type { PaymentProvider } from './provider.ts';
import type { PaymentSettings } from './settings.ts';

/** Charges each validated order once, and writes `order.paid` or `order.payment-failed`. */
export async function createActor({
  settings,
  registry,
}: Pick<ActorContext<PaymentSettings>, 'settings' | 'registry'>): Promise<Actor<OrderValidated, PaymentOutcome>> {
  return paymentActor(measuredProvider(await openProvider(settings), registry), registry);
}

export function paymentActor(provider: PaymentProvider, registry: Registry): Actor<OrderValidated, PaymentOutcome> {
  const paymentsTotal = paymentCounter(registry);
  const orderAge = createOrderAge(registry, 'paid');
  /** Paid in the turn that was applied last. A redelivery is no new payment. */
  const paidNow = new WeakSet<OrderValidated>();
  return {
    decode: (message) => (eventType(message) === 'order.validated' ? eventValue('order.validated', message) : skip),

    prepareAtOnce: outcomeWithoutProvider,

    prepare: (event) => charge(provider, event),

    async apply(items, sql) {
      const payments = items.map(({ input, prepared }) => ({
        orderId: input.orderId,
        storeId: input.storeId,
        method: input.order.payment.method,
        amount: input.total,
        currency: input.currency,
        outcome: prepared,
      }));
      const stored = await recordPayments(sql, new Date(), payments);
      const unpaid = payments.filter(({ orderId }) => isNewFailure(stored.get(orderId)));
      await giveBackStock(
        sql,
        unpaid.map(({ orderId }) => orderId),
      );
      const counted = new TurnCount(paymentsTotal);
      const outputs = items.map(({ input, message }) => {
        const payment = stored.get(input.orderId);
        if (payment === undefined) throw new Error(`the payment of ${input.orderId} was not stored`);
        if (payment.isNew && payment.outcome.status === 'paid') paidNow.add(input);
        else paidNow.delete(input);
        counted.add(input.order.payment.method, payment.outcome.status);
        return paymentOutputs(input, payment, message);
      });
      counted.done();
      return outputs;
    },

    completed(input, message) {
      if (!paidNow.has(input)) return;
      const acceptedAtMs = acceptedAtOf(message.header(acceptedTimeHeader));
      if (acceptedAtMs !== undefined) orderAge(acceptedAtMs);
    },

    close: () => provider.close(),
  };
}

/** An order that is not paid is not cooked. */
function isNewFailure(payment: StoredPayment | undefined): boolean {
  return payment?.isNew === true && payment.outcome.status === 'failed';
}

/** Cash is paid at the counter, so it goes on while the provider is down. */
function outcomeWithoutProvider({ orderId, order }: OrderValidated): PaymentOutcome | undefined {
  const { method, token } = order.payment;
  if (method === 'cash') return { status: 'paid', reference: `cash_${orderId}` };
  if (token === undefined) return { status: 'failed', code: 'no-token', detail: 'the order has no payment token' };
  return undefined;
}

/** Of an order that `outcomeWithoutProvider` leaves to the provider. */
async function charge(provider: PaymentProvider, event: OrderValidated): Promise<PaymentOutcome> {
  const { orderId, storeId, total, currency, order, occurredAt } = event;
  const { token = '' } = order.payment;
  const result = await provider.charge({
    idempotencyKey: orderId,
    orderId,
    storeId,
    amount: total,
    currency,
    token,
    since: new Date(occurredAt),
  });
  return result.status === 'approved'
    ? { status: 'paid', reference: result.reference }
    : { status: 'failed', code: result.code, detail: result.detail };
}
