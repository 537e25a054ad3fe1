// A model for integrators: an order of Uber Eats (GET order, version 2) as an order of ours.

import type { OrderItem } from '../../contracts/order/item.ts';
import type { Order } from '../../contracts/order/order.ts';
import { type Choice, itemOf, withNote, withOrderNote } from './line.ts';
import { addUp, type Mapper, MappingError, paymentOf, type Till } from './mapper.ts';
import { uberEatsFields } from './uber-eats-fields.ts';
import { allergyOf, metadataOf, orderIdOf, skuOf, wholeNumber } from './values.ts';

interface Money {
  amount: number;
  currency_code: string;
}

interface Item {
  id: string;
  title: string;
  /** What the point of sale wrote into the menu: its own SKU. */
  external_data?: string;
  quantity: number;
  price: { unit_price: Money };
  selected_modifier_groups?: { selected_items?: Item[] }[];
  special_instructions?: string;
  special_requests?: { allergy?: Allergy };
  fulfillment_action?: { fulfillment_action_type: string };
}

interface Allergy {
  allergens_to_exclude?: { type: string; freeform_text?: string }[];
  allergy_instructions?: string;
}

/** The fields of Uber's order that have a place in ours. */
export interface UberEatsOrder {
  id: string;
  display_id: string;
  external_reference_id?: string;
  type: string;
  brand?: string;
  store: { id: string };
  eater?: { id?: string; first_name?: string };
  cart: { items: Item[]; special_instructions?: string };
  packaging?: { disposable_items?: { should_include: boolean } };
  payment: {
    charges: Record<string, Money> & { total: Money };
    promotions?: { promotions?: { external_promotion_id?: string }[] };
  };
  placed_at: string;
  estimated_ready_for_pickup_at?: string;
}

type Adjustment = NonNullable<Order['adjustments']>[number];

const types: Readonly<Record<string, NonNullable<Order['fulfilment']>['type']>> = {
  PICK_UP: 'take-away',
  DINE_IN: 'eat-in',
  DELIVERY_BY_UBER: 'delivery',
  DELIVERY_BY_RESTAURANT: 'delivery',
};

function fromUberEats(order: UberEatsOrder, till: Till): Order {
  const { charges } = order.payment;
  const type = types[order.type];
  if (type === undefined)
    throw new MappingError(`type is ${order.type}: it is one of ${Object.keys(types).join(', ')}`);
  const isSettled = (charges.cash_amount_due?.amount ?? 0) === 0;
  const promisedAt = order.estimated_ready_for_pickup_at;
  const { disposable_items: cutlery } = order.packaging ?? {};
  return addUp({
    orderId: orderIdOf('uber-eats', order.id),
    storeId: till.storeId,
    channel: 'delivery',
    placedAt: order.placed_at,
    currency: charges.total.currency_code,
    items: withOrderNote(
      order.cart.items.map((item) => itemWithRequests(item, till)),
      [order.cart.special_instructions, cutlery && (cutlery.should_include ? 'with cutlery' : 'no cutlery')],
    ),
    adjustments: adjustmentsOf(order),
    total: charges.total.amount,
    ...(order.eater?.id && { customerId: order.eater.id }),
    // Money that the courier collects is the platform's too.
    payment: paymentOf(true, till),
    number: order.display_id,
    ...(order.eater?.first_name && { guest: { name: order.eater.first_name } }),
    fulfilment: { type, ...(promisedAt && { promisedAt }) },
    metadata: metadataOf({
      location: order.store.id,
      reference: order.external_reference_id,
      source: order.brand,
      deliveredBy: order.type,
      paidBy: isSettled ? 'uber-eats' : 'cash to the courier',
    }),
  });
}

function itemWithRequests(item: Item, till: Till): OrderItem {
  const allergy = item.special_requests?.allergy;
  const action = item.fulfillment_action?.fulfillment_action_type;
  const line = withNote(itemOf(choiceOf(item, till)), [
    allergy?.allergy_instructions && `allergy: ${allergy.allergy_instructions}`,
    action && `if out of stock: ${action.toLowerCase().replaceAll('_', ' ')}`,
  ]);
  const allergies = allergy?.allergens_to_exclude?.map(({ type, freeform_text }) => allergyOf(freeform_text ?? type));
  return allergies?.length ? { ...line, allergies } : line;
}

function choiceOf(item: Item, till: Till): Choice {
  const sku = skuOf(item.external_data ?? item.id);
  const isDish = till.combos?.includes(sku) ?? false;
  const chosen = item.selected_modifier_groups?.flatMap(({ selected_items = [] }) => selected_items);
  return {
    sku,
    name: item.title,
    quantity: wholeNumber(item.quantity, 'cart.items[].quantity'),
    unitPrice: item.price.unit_price.amount,
    note: item.special_instructions,
    choices: chosen?.map((choice) => ({ ...choiceOf(choice, till), isDish })),
  };
}

/** What a promotion takes off goods and tax is in amounts of their own: `…_promo_applied`. */
function adjustmentsOf({ payment: { charges, promotions } }: UberEatsOrder): Adjustment[] {
  const amountOf = (name: string) => charges[name]?.amount;
  const discount = (amountOf('sub_total_promo_applied') ?? amountOf('sub_total') ?? 0) - (amountOf('sub_total') ?? 0);
  const codes = promotions?.promotions?.map(({ external_promotion_id: code }) => code).join(', ');
  const amounts: [Adjustment['kind'], string | undefined, number | undefined][] = [
    ['discount', codes, discount],
    ['tax', undefined, amountOf('tax_promo_applied') ?? amountOf('tax')],
    ['fee', undefined, amountOf('total_fee')],
    ['tip', undefined, amountOf('tip')],
  ];
  return amounts.flatMap(([kind, name, amount]) => (amount ? [{ kind, ...(name && { name }), amount }] : []));
}

export const uberEats: Mapper<UberEatsOrder> = {
  name: 'Uber Eats',
  source: 'https://developer.uber.com/docs/eats/references/api/v2/get-eats-order-orderid',
  map: fromUberEats,
  fields: uberEatsFields,
};
