// A model for integrators: an order of Toast's orders API as an order of ours.

import type { Order } from '../../contracts/order/order.ts';
import { type Choice, itemOf } from './line.ts';
import { addUp, type Mapper, MappingError, paymentOf, type Till } from './mapper.ts';
import { toastFields } from './toast-fields.ts';
import { instantOf, metadataOf, minorUnits, orderIdOf, skuOf, wholeNumber } from './values.ts';

interface Selection {
  plu?: string;
  premodifierPlu?: string;
  displayName: string;
  quantity: number;
  seatNumber?: number;
  selectionType?: string;
  voided?: boolean;
  receiptLinePrice: number;
  taxInclusion?: string;
  modifiers?: Selection[];
  appliedDiscounts?: Discount[];
  appliedTaxes?: { name: string; taxAmount: number }[];
}

interface Discount {
  name: string;
  discountAmount: number;
}

interface Check {
  displayNumber?: string;
  tabName?: string;
  customer?: { firstName?: string };
  selections: Selection[];
  appliedDiscounts?: Discount[];
  appliedServiceCharges?: { name: string; chargeAmount: number; delivery?: boolean }[];
  payments?: { guid: string; type: string; tipAmount?: number }[];
  totalAmount: number;
  paymentStatus?: string;
}

/** The fields of Toast's `Order` that have a place in ours. */
export interface ToastOrder {
  guid: string;
  externalId?: string;
  openedDate: string;
  promisedDate?: string;
  displayNumber?: string;
  source?: string;
  numberOfGuests?: number;
  diningOption?: { guid: string };
  table?: { guid: string };
  server?: { guid: string };
  revenueCenter?: { guid: string };
  createdDevice?: { id: string };
  checks: Check[];
}

type Adjustment = NonNullable<Order['adjustments']>[number];
type Fulfilment = NonNullable<Order['fulfilment']>;

/** One order for all checks: the kitchen cooks for the table, however its guests split the bill. */
function fromToast(order: ToastOrder, till: Till): Order {
  const { checks } = order;
  const [check] = checks;
  if (check === undefined) throw new MappingError('checks is empty: an order needs one check with selections');
  const { currency } = till;
  const cents = (amount: number) => minorUnits(amount, currency);
  const selections = checks.flatMap((each) => each.selections).filter(({ voided }) => !voided);
  const payments = checks.flatMap((each) => each.payments ?? []);
  const tip = payments.reduce((sum, { tipAmount = 0 }) => sum + cents(tipAmount), 0);
  const name = check.tabName ?? check.customer?.firstName;
  const isPaid = checks.every(({ paymentStatus }) => paymentStatus === 'PAID' || paymentStatus === 'CLOSED');
  return addUp({
    orderId: orderIdOf('toast', order.guid),
    storeId: till.storeId,
    channel: 'pos',
    placedAt: instantOf(order.openedDate),
    currency,
    items: selections.map((selection) => itemOf(choiceOf(selection, till))),
    adjustments: [
      ...adjustmentsOf(checks, selections, cents),
      ...(tip > 0 ? [{ kind: 'tip' as const, amount: tip }] : []),
    ],
    total: checks.reduce((sum, { totalAmount }) => sum + cents(totalAmount), tip),
    payment: paymentOf(isPaid, till),
    ...(check.displayNumber && { number: check.displayNumber }),
    ...(name && { guest: { name } }),
    ...(order.diningOption && { fulfilment: fulfilmentOf(order, till) }),
    metadata: metadataOf({
      toastOrder: order.displayNumber,
      reference: order.externalId,
      source: order.source,
      guests: order.numberOfGuests,
      server: order.server?.guid,
      revenueCenter: order.revenueCenter?.guid,
      till: order.createdDevice?.id,
      paidBy: payments[0]?.type,
      payment: payments[0]?.guid,
    }),
  });
}

/** A special request is text that a guest said, not a choice of the menu. */
function choiceOf(selection: Selection, till: Till): Choice {
  const { modifiers = [], seatNumber = 0, plu, premodifierPlu } = selection;
  if (plu === undefined) throw new MappingError(`selection ${selection.displayName} has no plu: give it one in Toast`);
  const isRequest = ({ selectionType }: Selection) => selectionType === 'SPECIAL_REQUEST';
  const requests = modifiers.filter(isRequest).map(({ displayName }) => displayName);
  const sku = skuOf(premodifierPlu ? `${premodifierPlu}-${plu}` : plu);
  return {
    sku,
    name: selection.displayName,
    quantity: wholeNumber(selection.quantity, 'selections[].quantity'),
    unitPrice: minorUnits(selection.receiptLinePrice, till.currency),
    note: [...(seatNumber > 0 ? [`seat ${seatNumber}`] : []), ...requests].join('\n'),
    choices: modifiers
      .filter((modifier) => !isRequest(modifier))
      .map((modifier) => ({ ...choiceOf(modifier, till), isDish: till.combos?.includes(sku) ?? false })),
  };
}

function adjustmentsOf(checks: Check[], selections: Selection[], cents: (amount: number) => number): Adjustment[] {
  const discounts = [...selections, ...checks].flatMap(({ appliedDiscounts = [] }) => appliedDiscounts);
  const charges = checks.flatMap(({ appliedServiceCharges = [] }) => appliedServiceCharges);
  return [
    ...discounts.map(
      ({ name, discountAmount }): Adjustment => ({ kind: 'discount', name, amount: -cents(discountAmount) }),
    ),
    ...charges.map(
      ({ name, chargeAmount, delivery }): Adjustment => ({
        kind: delivery ? 'fee' : 'service-charge',
        name,
        amount: cents(chargeAmount),
      }),
    ),
    ...taxesOf(selections, cents),
  ];
}

/** Toast names a tax for each selection; the receipt has one line a tax. */
function taxesOf(selections: Selection[], cents: (amount: number) => number): Adjustment[] {
  const taxes = new Map<string, Adjustment>();
  for (const { appliedTaxes = [], taxInclusion } of selections) {
    const included = taxInclusion === 'INCLUDED';
    for (const { name, taxAmount } of appliedTaxes) {
      const amount = (taxes.get(`${included} ${name}`)?.amount ?? 0) + cents(taxAmount);
      taxes.set(`${included} ${name}`, { kind: 'tax', name, amount, ...(included && { included }) });
    }
  }
  return [...taxes.values()];
}

function fulfilmentOf(order: ToastOrder, { names = {} }: Till): Fulfilment {
  const { diningOption, table, promisedDate } = order;
  const type = names[diningOption?.guid ?? ''] as Fulfilment['type'] | undefined;
  if (type === undefined)
    throw new MappingError(`diningOption ${diningOption?.guid} is unknown: name it in \`names\`, such as eat-in`);
  const tableName = table && (names[table.guid] ?? table.guid.slice(0, 8));
  return { type, ...(tableName && { table: tableName }), ...(promisedDate && { promisedAt: instantOf(promisedDate) }) };
}

export const toast: Mapper<ToastOrder> = {
  name: 'Toast',
  source: 'https://doc.toasttab.com/openapi/orders/tag/Data-definitions/schema/Order',
  map: fromToast,
  fields: toastFields,
};
