import {
  eventId,
  type OrderPaid,
  type OrderPaymentFailed,
  type OrderValidated,
  type OrderWithoutToken,
} from '../../contracts/events.ts';
import { acceptedTimeHeader, eventHeaders } from '../../contracts/headers.ts';
import { topics } from '../../contracts/topics.ts';
import type { Message, Outputs } from '../../runtime/actor.ts';
import type { StoredPayment } from '../../store/index.ts';

/** The event of a payment. Made again from the stored payment, it has the same bytes. */
export function paymentOutputs(
  validated: OrderValidated,
  payment: Pick<StoredPayment, 'outcome' | 'decidedAt'>,
  message: Message,
): Outputs {
  const { orderId, storeId, total, currency, order } = validated;
  const { method } = order.payment;
  const base = { orderId, storeId, occurredAt: payment.decidedAt.toISOString(), total, currency };
  const { outcome } = payment;
  let value: OrderPaid | OrderPaymentFailed;
  if (outcome.status === 'paid') {
    value = { ...base, order: withoutToken(order), payment: { method, reference: outcome.reference } };
  } else {
    value = { ...base, payment: { method, code: outcome.code, detail: outcome.detail } };
  }
  const type = outcome.status === 'paid' ? 'order.paid' : 'order.payment-failed';
  return [
    {
      topic: topics.validatedOrders,
      key: orderId,
      value: JSON.stringify(value),
      headers: eventHeaders({
        id: eventId(orderId, type),
        type,
        source: '/ordermesh/payment',
        time: base.occurredAt,
        subject: orderId,
        traceparent: message.header('traceparent'),
        acceptedTime: message.header(acceptedTimeHeader),
      }),
    },
  ];
}

function withoutToken(order: OrderValidated['order']): OrderWithoutToken {
  return { ...order, payment: { method: order.payment.method } };
}
