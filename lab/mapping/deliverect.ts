// A model for integrators: an order that Deliverect sends to a point of sale as an order of ours.

import type { Order } from '../../contracts/order/order.ts';
import { deliverectFields } from './deliverect-fields.ts';
import { type Choice, itemOf, withOrderNote } from './line.ts';
import { addUp, type Mapper, MappingError, paymentOf, type Till } from './mapper.ts';
import { metadataOf, orderIdOf, skuOf, wholeNumber } from './values.ts';

interface Item {
  plu: string;
  name: string;
  /** Of one, in minor units. */
  price: number;
  quantity: number;
  /** 1 is a product, 2 a modifier. */
  productType?: number;
  remark?: string;
  subItems?: Item[];
}

/** The fields of Deliverect's POS order that have a place in ours. */
export interface DeliverectOrder {
  _id: string;
  _created: string;
  channelOrderId: string;
  channelOrderDisplayId: string;
  location: string;
  by?: string;
  channel: number;
  orderType: number;
  pickupTime?: string;
  customer?: { name?: string; note?: string };
  table?: string;
  orderIsAlreadyPaid: boolean;
  payment: { amount: number; type: number };
  note?: string;
  items: Item[];
  decimalDigits: number;
  numberOfCustomers?: number;
  packaging?: { includeCutlery?: boolean };
  taxes?: { name: string; total: number }[];
  serviceCharge?: number;
  deliveryCost?: number;
  bagFee?: number;
  tip?: number;
  driverTip?: number;
  discountTotal?: number;
  discounts?: { name: string; amount: number }[];
}

type Adjustment = NonNullable<Order['adjustments']>[number];

const PRODUCT = 1;
const CASH = 1;
export const orderTypes: Readonly<Record<number, NonNullable<Order['fulfilment']>['type']>> = {
  1: 'take-away',
  2: 'delivery',
  3: 'eat-in',
  4: 'curbside',
  5: 'drive-thru',
};

function fromDeliverect(order: DeliverectOrder, till: Till): Order {
  checkDigits(order, till);
  const { customer, table, packaging } = order;
  const type = orderTypes[order.orderType];
  if (type === undefined) throw new MappingError(`orderType is ${order.orderType}: it is from 1 to 5`);
  const isSettled = order.orderIsAlreadyPaid || order.payment.type === CASH;
  const items = order.items.map((item) => itemOf(choiceOf(item, true)));
  return addUp({
    orderId: orderIdOf('deliverect', order._id),
    storeId: till.storeId,
    channel: type === 'delivery' ? 'delivery' : 'web',
    placedAt: order._created,
    currency: till.currency,
    items: withOrderNote(items, [order.note, customer?.note, packaging?.includeCutlery ? 'with cutlery' : undefined]),
    adjustments: adjustmentsOf(order),
    total: order.payment.amount,
    payment: paymentOf(isSettled, till),
    number: order.channelOrderDisplayId,
    ...(customer?.name && { guest: { name: customer.name } }),
    fulfilment: { type, ...(table && { table }), ...(order.pickupTime && { promisedAt: order.pickupTime }) },
    metadata: metadataOf({
      deliverectOrder: order._id,
      channelOrder: order.channelOrderId,
      channel: order.channel,
      source: order.by,
      location: order.location,
      guests: order.numberOfCustomers,
      paidBy: isSettled ? (order.orderIsAlreadyPaid ? 'channel' : 'cash') : undefined,
    }),
  });
}

/** Products within a product are the dishes of a combo; whatever is within a modifier changes that modifier. */
function choiceOf(item: Item, isInProduct: boolean): Choice {
  const isProduct = item.productType === PRODUCT;
  return {
    sku: skuOf(item.plu),
    name: item.name,
    quantity: wholeNumber(item.quantity, 'items[].quantity'),
    unitPrice: item.price,
    note: item.remark,
    isDish: isInProduct && isProduct,
    choices: item.subItems?.map((subItem) => choiceOf(subItem, isProduct)),
  };
}

/** A discount has a name where the channel gives one; the channel's own total counts. */
function adjustmentsOf(order: DeliverectOrder): Adjustment[] {
  const { discounts = [], discountTotal = 0, taxes = [] } = order;
  const amounts: [Adjustment['kind'], string | undefined, number | undefined][] = [
    ['discount', discounts.map(({ name }) => name).join(', ') || undefined, discountTotal],
    ['service-charge', undefined, order.serviceCharge],
    ...taxes.map(({ name, total }): [Adjustment['kind'], string, number] => ['tax', name, total]),
    ['fee', 'delivery', order.deliveryCost],
    ['fee', 'bag', order.bagFee],
    ['tip', undefined, order.tip],
    ['tip', 'driver', order.driverTip],
  ];
  return amounts.flatMap(([kind, name, amount]) => (amount ? [{ kind, ...(name && { name }), amount }] : []));
}

function checkDigits({ decimalDigits }: DeliverectOrder, { currency }: Till): void {
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
  if (decimalDigits !== digits)
    throw new MappingError(`decimalDigits is ${decimalDigits}: amounts of ${currency} have ${digits}`);
}

export const deliverect: Mapper<DeliverectOrder> = {
  name: 'Deliverect',
  source: 'https://developers.deliverect.com/page/glossary-pos-orders',
  map: fromDeliverect,
  fields: deliverectFields,
};
