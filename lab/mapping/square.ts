// A model for integrators: an order of Square's Orders API as an order of ours.

import type { Order } from '../../contracts/order/order.ts';
import { type Choice, itemOf, withOrderNote } from './line.ts';
import { addUp, type Mapper, paymentOf, type Till } from './mapper.ts';
import { squareFields } from './square-fields.ts';
import { metadataOf, orderIdOf, skuOf, wholeNumber } from './values.ts';

interface Money {
  amount: number;
  currency: string;
}

interface Line {
  catalog_object_id: string;
  name: string;
  variation_name?: string;
  quantity?: string;
  base_price_money: Money;
  note?: string;
  modifiers?: Line[];
}

/** The fields of Square's `Order` that have a place in ours. */
export interface SquareOrder {
  id: string;
  location_id: string;
  reference_id?: string;
  source?: { name?: string };
  customer_id?: string;
  line_items: Line[];
  taxes?: { name: string; type: string; applied_money: Money }[];
  discounts?: { name: string; applied_money: Money }[];
  service_charges?: { name: string; total_money: Money }[];
  rounding_adjustment?: { name?: string; amount_money: Money };
  fulfillments?: { type: string; pickup_details?: Pickup; delivery_details?: Delivery }[];
  tenders?: { type: string }[];
  ticket_name?: string;
  created_at: string;
  total_money: Money;
  total_tip_money?: Money;
}

interface Recipient {
  recipient?: { display_name?: string };
  note?: string;
}

interface Pickup extends Recipient {
  pickup_at?: string;
  is_curbside_pickup?: boolean;
}

interface Delivery extends Recipient {
  deliver_at?: string;
}

function fromSquare(order: SquareOrder, till: Till): Order {
  const [tender] = order.tenders ?? [];
  const [fulfillment] = order.fulfillments ?? [];
  const details = fulfillment?.pickup_details ?? fulfillment?.delivery_details;
  const name = details?.recipient?.display_name;
  const items = order.line_items.map((line) => itemOf(choiceOf(line)));
  return addUp({
    orderId: orderIdOf('square', order.id),
    storeId: till.storeId,
    channel: 'pos',
    placedAt: order.created_at,
    currency: order.total_money.currency,
    items: withOrderNote(items, [details?.note]),
    adjustments: adjustmentsOf(order),
    total: order.total_money.amount,
    ...(order.customer_id && { customerId: order.customer_id }),
    payment: paymentOf(tender !== undefined, till),
    ...(order.ticket_name && { number: order.ticket_name }),
    ...(name && { guest: { name } }),
    ...(fulfillment && { fulfilment: fulfilmentOf(fulfillment) }),
    metadata: metadataOf({
      squareOrder: order.id,
      location: order.location_id,
      reference: order.reference_id,
      source: order.source?.name,
      paidBy: tender?.type,
    }),
  });
}

function choiceOf(line: Line): Choice {
  return {
    sku: skuOf(line.catalog_object_id),
    name: line.name,
    quantity: wholeNumber(line.quantity ?? '1', 'line_items[].quantity'),
    unitPrice: line.base_price_money.amount,
    note: line.note,
    choices: line.modifiers?.map(choiceOf),
  };
}

function adjustmentsOf(order: SquareOrder): NonNullable<Order['adjustments']> {
  const { taxes = [], discounts = [], service_charges: charges = [], rounding_adjustment: rounding } = order;
  const tip = order.total_tip_money?.amount;
  return [
    ...discounts.map(({ name, applied_money }) => ({ kind: 'discount' as const, name, amount: -applied_money.amount })),
    ...charges.map(({ name, total_money }) => ({ kind: 'service-charge' as const, name, amount: total_money.amount })),
    ...taxes.map(({ name, type, applied_money }) => ({
      kind: 'tax' as const,
      name,
      amount: applied_money.amount,
      ...(type === 'INCLUSIVE' && { included: true }),
    })),
    ...(rounding
      ? [
          {
            kind: 'rounding' as const,
            ...(rounding.name && { name: rounding.name }),
            amount: rounding.amount_money.amount,
          },
        ]
      : []),
    ...(tip ? [{ kind: 'tip' as const, amount: tip }] : []),
  ];
}

function fulfilmentOf(fulfillment: NonNullable<SquareOrder['fulfillments']>[number]): NonNullable<Order['fulfilment']> {
  const { pickup_details: pickup, delivery_details: delivery } = fulfillment;
  const promisedAt = pickup?.pickup_at ?? delivery?.deliver_at;
  const handOver = pickup?.is_curbside_pickup ? 'curbside' : 'take-away';
  const type = fulfillment.type === 'DELIVERY' ? 'delivery' : handOver;
  return { type, ...(promisedAt && { promisedAt }) };
}

export const square: Mapper<SquareOrder> = {
  name: 'Square',
  source: 'https://developer.squareup.com/reference/square/objects/Order',
  map: fromSquare,
  fields: squareFields,
};
