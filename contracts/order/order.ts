// The schema and the types of an order. The gateway checks each order against it; actors and others use its types and sums.

import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { instantYears } from './instant.ts';
import { amount, itemSchema, lineTotal, type OrderModifier } from './item.ts';
import { line } from './text.ts';

/** Lower case only: the orderId is compared and hashed as text, so an order must have one spelling. */
const orderIdPattern = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
const orderIdExpression = new RegExp(orderIdPattern);

export function isOrderId(text: string): boolean {
  return orderIdExpression.test(text);
}

/** The store that the bytes of an order name; `undefined` for bytes that are not JSON or name none. */
export function storeIdIn(value: Buffer | null): string | undefined {
  try {
    const storeId = (JSON.parse(String(value)) as { storeId?: unknown } | null)?.storeId;
    return typeof storeId === 'string' ? storeId : undefined;
  } catch {
    // The order-validator parks such bytes and says so.
    return undefined;
  }
}

export const orderIdSchema = Type.String({
  format: 'uuid',
  pattern: orderIdPattern,
  description: 'UUID in lower case, made by the point of sale; the idempotency key of the order.',
});

export const storeIdSchema = Type.String({
  pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
  minLength: 2,
  maxLength: 32,
  description: 'The restaurant, for example us-il-0001.',
});

const paymentSchema = Type.Object(
  {
    method: Type.Enum(['card', 'app', 'cash']),
    token: Type.Optional(
      line({
        minLength: 1,
        maxLength: 128,
        description: 'Token of the payment provider, never a card number. Required unless the method is cash.',
      }),
    ),
  },
  {
    additionalProperties: false,
    if: { properties: { method: { const: 'cash' } } },
    else: { required: ['token'] },
  },
);

const instant = (description: string) =>
  Type.String({
    format: 'date-time',
    pattern: instantYears,
    description: `${description}, by RFC 3339: with Z or an offset of hours and minutes, from 2000 to 2099, without leap seconds.`,
  });

const guestSchema = Type.Object(
  { name: line({ minLength: 1, maxLength: 64, description: 'As it is called out.' }) },
  { additionalProperties: false },
);

const fulfilmentSchema = Type.Object(
  {
    type: Type.Enum(['eat-in', 'take-away', 'drive-thru', 'curbside', 'delivery']),
    table: Type.Optional(line({ minLength: 1, maxLength: 16 })),
    promisedAt: Type.Optional(instant('When the guest was told that it will be ready')),
  },
  { additionalProperties: false },
);

/** The bound of the amount of some kinds of adjustments. */
function amountOf(kinds: readonly string[], amount: object): object {
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  return { if: { properties: { kind: { enum: kinds } } }, then: { properties: { amount } } };
}

const adjustmentSchema = Type.Object(
  {
    kind: Type.Enum(['tax', 'discount', 'service-charge', 'tip', 'fee', 'rounding']),
    name: Type.Optional(line({ minLength: 1, maxLength: 64, description: 'As it stands on the receipt.' })),
    amount: Type.Integer({
      minimum: -limits.amountMax,
      maximum: limits.amountMax,
      description: 'Minor units. Not above 0 for a discount; either sign for a rounding; not below 0 for the others.',
    }),
    included: Type.Optional(
      Type.Boolean({ default: false, description: 'Whether the prices of the items contain it, as they do a VAT.' }),
    ),
  },
  {
    additionalProperties: false,
    allOf: [amountOf(['discount'], { maximum: 0 }), amountOf(['tax', 'service-charge', 'tip', 'fee'], { minimum: 0 })],
  },
);

const metadataSchema = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,40}$' }), line({ maxLength: 200 }), {
  additionalProperties: false,
  maxProperties: limits.metadataMax,
  description: 'What the point of sale wants to find again: carried, never read.',
});

/** An order as a point of sale submits it. Money is an integer in minor units of `currency` (ISO 4217). */
export const orderSchema = Type.Object(
  {
    orderId: orderIdSchema,
    storeId: storeIdSchema,
    channel: Type.Enum(['pos', 'kiosk', 'drive-thru', 'app', 'web', 'delivery']),
    placedAt: instant('When the guest ordered'),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217.' }),
    items: Type.Array(itemSchema, { minItems: 1, maxItems: limits.itemsPerOrderMax }),
    adjustments: Type.Optional(
      Type.Array(adjustmentSchema, {
        maxItems: limits.adjustmentsPerOrderMax,
        description: 'Taxes, discounts, charges and tips.',
      }),
    ),
    total: amount(
      'Sum over the items of quantity x (unitPrice + modifiers + parts), and of the adjustments that are not included, in minor units.',
    ),
    customerId: Type.Optional(line({ minLength: 1, maxLength: 64 })),
    payment: paymentSchema,
    number: Type.Optional(line({ minLength: 1, maxLength: 16, description: 'The number on the receipt, as A27.' })),
    guest: Type.Optional(guestSchema),
    fulfilment: Type.Optional(fulfilmentSchema),
    metadata: Type.Optional(metadataSchema),
  },
  { $id: 'Order', additionalProperties: false },
);

export type Order = Static<typeof orderSchema>;
export type PaymentMethod = Order['payment']['method'];

/** The sum of the order's lines and of its adjustments that the prices do not contain, in minor units. A valid order's `total` equals it. */
export function orderTotal({ items, adjustments = [] }: Pick<Order, 'items' | 'adjustments'>): number {
  let total = 0;
  for (const item of items) total += lineTotal(item);
  for (const { amount, included = false } of adjustments) if (!included) total += amount;
  return total;
}

/** SKUs and quantities that the order takes from stock, modifiers included. Of a combo its parts, not the combo itself. */
export function stockDemand({ items }: Pick<Order, 'items'>): Map<string, number> {
  const demand = new Map<string, number>();
  const add = (sku: string, quantity: number) => demand.set(sku, (demand.get(sku) ?? 0) + quantity);
  const addModifiers = (modifiers: OrderModifier[] | undefined, quantity: number) => {
    for (const modifier of modifiers ?? []) add(modifier.sku, quantity * (modifier.quantity ?? 1));
  };
  for (const { sku, quantity, modifiers, parts = [] } of items) {
    if (parts.length === 0) add(sku, quantity);
    addModifiers(modifiers, quantity);
    for (const part of parts) {
      add(part.sku, quantity * part.quantity);
      addModifiers(part.modifiers, quantity * part.quantity);
    }
  }
  return demand;
}
