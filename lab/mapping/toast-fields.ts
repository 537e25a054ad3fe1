// Where each field of Toast's order goes. Used by toast.ts.

import type { Field } from './mapper.ts';
import { instantOf, minorUnits } from './values.ts';

const cents: { as: NonNullable<Extract<Field, { to: string }>['as']>; how: string } = {
  as: (amount, { currency }) => minorUnits(Number(amount), currency),
  how: 'in minor units',
};
const minus = {
  as: (amount: unknown, { currency }: { currency: string }) => -minorUnits(Number(amount), currency),
  how: 'negative',
};
const named = {
  as: (guid: unknown, { names }: { names?: Readonly<Record<string, string>> }) => names?.[String(guid)],
  how: 'by `names`',
};
const instant = { as: (text: unknown) => instantOf(String(text)), how: 'with a colon in the offset' };
const reference = 'a reference into Toast’s configuration';
const repeated = 'follows from the fields beside it';

export const toastFields: readonly Field[] = [
  { from: 'guid', to: 'orderId' },
  { from: '**.entityType', because: reference },
  { from: 'externalId', to: 'metadata.reference' },
  { from: 'openedDate', to: 'placedAt', ...instant },
  { from: 'promisedDate', to: 'fulfilment.promisedAt', ...instant },
  { from: '**.*Date', because: 'the mesh has times of its own for each step' },
  { from: 'displayNumber', to: 'metadata.toastOrder', how: 'guests know the number of the check' },
  { from: 'source', to: 'metadata.source' },
  { from: 'numberOfGuests', to: 'metadata.guests', as: String },
  { from: 'diningOption.guid', to: 'fulfilment.type', ...named },
  { from: 'table.guid', to: 'fulfilment.table', ...named },
  { from: 'server.guid', to: 'metadata.server' },
  { from: 'revenueCenter.guid', to: 'metadata.revenueCenter' },
  { from: 'createdDevice.id', to: 'metadata.till' },
  { from: 'checks[].displayNumber', to: 'number' },
  { from: 'checks[].tabName', to: 'guest.name', check: 'same' },
  { from: 'checks[].customer.firstName', to: 'guest.name', check: 'same', how: 'where no tab has a name' },
  { from: 'checks[].customer.**', because: 'a kitchen needs no surname, phone number or e-mail address' },
  {
    from: 'checks[].selections[].modifiers[].**.premodifierPlu',
    to: 'items[].**.sku',
    check: 'within',
    as: (plu) => String(plu).toLowerCase(),
    how: 'in front of the PLU',
  },
  { from: 'checks[].selections[].**.plu', to: 'items[].**.sku', check: 'within' },
  { from: 'checks[].selections[].modifiers[SPECIAL_REQUEST].displayName', to: 'items[].note', check: 'within' },
  {
    from: 'checks[].selections[].modifiers[SPECIAL_REQUEST].**',
    because: 'a special request is text and costs nothing',
  },
  { from: 'checks[].selections[].**.displayName', to: 'menu', check: 'within' },
  { from: 'checks[].selections[].**.quantity', to: 'items[].**.quantity' },
  { from: 'checks[].selections[].**.receiptLinePrice', to: 'items[].**.unitPrice', ...cents },
  { from: 'checks[].selections[].seatNumber', to: 'items[].note', check: 'within', as: (seat) => `seat ${seat}` },
  {
    from: 'checks[].selections[].**.selectionType',
    because: 'a special request becomes a note; other selections are alike',
  },
  { from: 'checks[].selections[].appliedTaxes[].name', to: 'adjustments[tax].name', check: 'same' },
  {
    from: 'checks[].selections[].appliedTaxes[].taxAmount',
    to: 'adjustments[tax].amount',
    check: 'sum',
    ...cents,
    how: 'one sum a tax',
  },
  { from: 'checks[].selections[].taxInclusion', because: '`INCLUDED` makes the tax `included`' },
  { from: 'checks[].selections[].appliedDiscounts[].name', to: 'adjustments[discount].name' },
  { from: 'checks[].selections[].appliedDiscounts[].discountAmount', to: 'adjustments[discount].amount', ...minus },
  { from: 'checks[].selections[].**.voided', because: 'a voided selection is not sent' },
  { from: 'checks[].selections[].**', because: 'references, states, and totals of one line' },
  { from: 'checks[].appliedDiscounts[].name', to: 'adjustments[discount].name' },
  { from: 'checks[].appliedDiscounts[].discountAmount', to: 'adjustments[discount].amount', ...minus },
  { from: 'checks[].appliedDiscounts[].**', because: 'how Toast arrived at the amount' },
  { from: 'checks[].appliedServiceCharges[].name', to: 'adjustments[service-charge].name' },
  { from: 'checks[].appliedServiceCharges[].chargeAmount', to: 'adjustments[service-charge].amount', ...cents },
  {
    from: 'checks[].appliedServiceCharges[].**',
    because: 'how Toast arrived at the amount; `delivery` makes it a `fee`',
  },
  { from: 'checks[].payments[].tipAmount', to: 'adjustments[tip].amount', check: 'sum', ...cents },
  { from: 'checks[].payments[].tipAmount', to: 'total', check: 'sum', ...cents, how: 'added to the checks' },
  { from: 'checks[].payments[].guid', to: 'metadata.payment' },
  {
    from: 'checks[].payments[].type',
    to: 'metadata.paidBy',
    how: 'it is paid already: `payment.method` is `cash`',
  },
  { from: 'checks[].payments[].**', because: 'card data never leaves the till; the rest is Toast’s book-keeping' },
  { from: 'checks[].totalAmount', to: 'total', check: 'sum', ...cents, how: 'with the tips added' },
  {
    from: 'checks[].paymentStatus',
    to: 'payment.method',
    as: (status) => (status === 'OPEN' ? 'card' : 'cash'),
    how: '`OPEN`: the mesh charges a card',
  },
  { from: 'checks[].*mount', because: repeated },
  { from: 'checks[].guid', because: reference },
  { from: '**.deleted', because: 'what was deleted or voided is not sent' },
  { from: '**.voided', because: 'what was deleted or voided is not sent' },
  { from: 'checks[].taxExempt', because: 'an exempt check has no tax to map' },
  { from: 'approvalStatus', because: 'only an approved order is sent' },
  { from: 'duration', because: repeated },
  { from: 'createdInTestMode', because: 'a test is sent to a store for tests' },
  { from: 'pricingFeatures[]', because: 'how Toast computes' },
];
