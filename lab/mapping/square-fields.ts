// Where each field of Square's order goes. Used by square.ts.

import type { Field } from './mapper.ts';
import { skuOf } from './values.ts';

const negative = (amount: unknown) => -Number(amount);
const repeated = 'follows from the fields beside it';
const linked = 'joins parts of the platform’s order';

export const squareFields: readonly Field[] = [
  { from: '**.currency', to: 'currency', check: 'same' },
  { from: 'id', to: 'metadata.squareOrder', how: 'also the `orderId`: a UUID made of it' },
  { from: 'location_id', to: 'metadata.location', how: 'the integrator knows the `storeId`' },
  { from: 'reference_id', to: 'metadata.reference' },
  { from: 'source.name', to: 'metadata.source' },
  { from: 'customer_id', to: 'customerId' },
  {
    from: 'line_items[].**.catalog_object_id',
    to: 'items[].**.sku',
    as: (id) => skuOf(String(id)),
    how: 'lower case',
  },
  { from: 'line_items[].**.quantity', to: 'items[].**.quantity', as: Number },
  { from: 'line_items[].**.base_price_money.amount', to: 'items[].**.unitPrice' },
  { from: 'line_items[].**.name', to: 'menu', check: 'within' },
  { from: 'line_items[].variation_name', to: 'menu', check: 'within', how: 'a variation has a SKU of its own' },
  { from: 'line_items[].note', to: 'items[].note', check: 'within' },
  { from: 'line_items[].item_type', because: 'gift cards are not cooked; other items are alike' },
  {
    from: 'line_items[].**',
    because: 'totals, and shares of tax and discount, of one line: the whole amounts are adjustments',
  },
  { from: 'taxes[].name', to: 'adjustments[tax].name' },
  { from: 'taxes[].applied_money.amount', to: 'adjustments[tax].amount' },
  {
    from: 'taxes[].type',
    to: 'adjustments[tax].included',
    as: (type) => type === 'INCLUSIVE',
    how: '`INCLUSIVE`: true',
  },
  { from: 'discounts[].name', to: 'adjustments[discount].name' },
  { from: 'discounts[].applied_money.amount', to: 'adjustments[discount].amount', as: negative, how: 'negative' },
  { from: 'service_charges[].name', to: 'adjustments[service-charge].name' },
  { from: 'service_charges[].total_money.amount', to: 'adjustments[service-charge].amount' },
  { from: 'rounding_adjustment.name', to: 'adjustments[rounding].name' },
  { from: 'rounding_adjustment.amount_money.amount', to: 'adjustments[rounding].amount' },
  { from: 'total_tip_money.amount', to: 'adjustments[tip].amount' },
  { from: 'total_money.amount', to: 'total' },
  { from: 'taxes[].**', because: 'how Square arrived at the amount' },
  { from: 'discounts[].**', because: 'how Square arrived at the amount' },
  { from: 'service_charges[].**', because: 'how Square arrived at the amount' },
  { from: 'rounding_adjustment.uid', because: linked },
  {
    from: 'fulfillments[].type',
    to: 'fulfilment.type',
    as: (type) => (type === 'DELIVERY' ? 'delivery' : 'take-away'),
    how: '`PICKUP`: `take-away`, `DELIVERY`: `delivery`',
  },
  { from: 'fulfillments[].pickup_details.recipient.display_name', to: 'guest.name' },
  { from: 'fulfillments[].pickup_details.pickup_at', to: 'fulfilment.promisedAt' },
  { from: 'fulfillments[].pickup_details.note', to: 'items[].note', check: 'within', how: 'on the first item' },
  { from: 'fulfillments[].pickup_details.is_curbside_pickup', because: 'true makes the type `curbside`' },
  {
    from: 'fulfillments[].pickup_details.recipient.**',
    because: 'a kitchen needs no phone number and no e-mail address',
  },
  { from: 'fulfillments[].**', because: linked },
  { from: 'ticket_name', to: 'number' },
  { from: 'created_at', to: 'placedAt' },
  { from: 'tenders[].type', to: 'metadata.paidBy', how: 'it is paid already: `payment.method` is `cash`' },
  { from: 'tenders[].**', because: 'what the drawer or Square did with the money; never card data' },
  { from: 'net_amounts.**', because: repeated },
  { from: 'total_*_money.amount', because: repeated },
  { from: 'state', because: 'an order that was sent is open' },
  { from: 'version', because: 'a change is a change of our order, by its revision' },
  { from: 'updated_at', because: 'a change is a change of our order, by its revision' },
];
