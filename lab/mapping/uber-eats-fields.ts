// Where each field of Uber's order goes. Used by uber-eats.ts.

import type { Field } from './mapper.ts';
import { allergyOf, skuOf } from './values.ts';

const repeated = 'follows from the fields beside it';
const courier = 'for the courier, who has it from Uber';
const goods = 'cart.items[].**';

export const uberEatsFields: readonly Field[] = [
  { from: 'id', to: 'orderId' },
  { from: 'display_id', to: 'number' },
  { from: 'external_reference_id', to: 'metadata.reference' },
  { from: 'type', to: 'metadata.deliveredBy', how: 'and `fulfilment.type`' },
  { from: 'brand', to: 'metadata.source' },
  { from: 'store.id', to: 'metadata.location', how: 'the integrator knows the `storeId`' },
  { from: 'store.**', because: 'the menu names the store' },
  { from: 'eater.id', to: 'customerId' },
  { from: 'eater.first_name', to: 'guest.name' },
  { from: 'eater.**', because: 'a kitchen needs no surname and no phone number' },
  { from: 'cart.special_instructions', to: 'items[].note', check: 'within', how: 'on the first item' },
  {
    from: `${goods}.selected_modifier_groups[].title`,
    because: 'the menu has groups; a kitchen reads what was chosen',
  },
  { from: `${goods}.selected_modifier_groups[].id`, because: 'the menu has groups' },
  { from: `${goods}.selected_modifier_groups[].external_data`, because: 'the menu has groups' },
  { from: `${goods}.external_data`, to: 'items[].**.sku', as: (id) => skuOf(String(id)), how: 'lower case, hyphens' },
  { from: `${goods}.id`, because: '`external_data` is the SKU; `id` where there is none' },
  { from: `${goods}.title`, to: 'menu', check: 'within' },
  { from: `${goods}.quantity`, to: 'items[].**.quantity' },
  { from: `${goods}.price.unit_price.amount`, to: 'items[].**.unitPrice' },
  { from: '**.currency_code', to: 'currency', check: 'same' },
  { from: '**.formatted_amount', because: 'the amount as text' },
  { from: `${goods}.price.**`, because: repeated },
  { from: `${goods}.special_requests.allergy.allergens_to_exclude[OTHER].type`, because: '`freeform_text` says which' },
  {
    from: `${goods}.special_requests.allergy.allergens_to_exclude[].type`,
    to: 'items[].allergies[]',
    as: (type) => allergyOf(String(type)),
    how: 'as words',
  },
  { from: `${goods}.special_requests.allergy.allergens_to_exclude[OTHER].freeform_text`, to: 'items[].allergies[]' },
  { from: `${goods}.special_requests.allergy.allergy_instructions`, to: 'items[].note', check: 'within' },
  { from: `${goods}.special_instructions`, to: 'items[].note', check: 'within' },
  {
    from: `${goods}.fulfillment_action.fulfillment_action_type`,
    to: 'items[].note',
    check: 'within',
    as: (type) => String(type).toLowerCase().replaceAll('_', ' '),
    how: 'what to do if it is out of stock',
  },
  { from: `${goods}.instance_id`, because: 'joins parts of Uber’s order' },
  {
    from: 'packaging.disposable_items.should_include',
    to: 'items[].note',
    check: 'within',
    as: (isWanted) => (isWanted ? 'with cutlery' : 'no cutlery'),
    how: 'on the first item',
  },
  { from: 'payment.charges.total.amount', to: 'total' },
  { from: 'payment.charges.tax_promo_applied.amount', to: 'adjustments[tax].amount' },
  { from: 'payment.charges.total_fee.amount', to: 'adjustments[fee].amount' },
  { from: 'payment.charges.tip.amount', to: 'adjustments[tip].amount' },
  {
    from: 'payment.charges.total_promo_applied.amount',
    to: 'adjustments[discount].amount',
    as: (amount) => -Number(amount),
    how: '`sub_total_promo_applied` less `sub_total`',
  },
  { from: 'payment.charges.sub_total*.amount', because: 'the sum of the items, and with the discount' },
  { from: 'payment.charges.*_fee.amount', because: 'part of `total_fee`' },
  {
    from: 'payment.charges.tax.amount',
    because: 'the tax before the promotion; where no other is given, it is the tax',
  },
  { from: 'payment.charges.cash_amount_due.amount', because: 'the courier collects it; `metadata.paidBy` says so' },
  { from: 'payment.promotions.promotions[].external_promotion_id', to: 'adjustments[discount].name', check: 'within' },
  { from: 'payment.promotions.**', because: 'how Uber arrived at the amount' },
  { from: 'payment.accounting.**', because: 'who pays the tax is no question of the kitchen' },
  { from: 'placed_at', to: 'placedAt' },
  { from: 'estimated_ready_for_pickup_at', to: 'fulfilment.promisedAt' },
  { from: 'deliveries[].**', because: courier },
  { from: 'current_state', because: 'an order that was sent is new' },
  { from: 'order_manager_client_id', because: 'which program accepts orders for the store' },
];
