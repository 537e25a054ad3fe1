// The schema and the types of an order. The gateway checks each order against it; actors and others use its types and sums.

import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { instantYears } from './instant.ts';
import { line, lines } from './text.ts';

/** SKU of a menu item or modifier: lower-case words joined by hyphens. */
export const sku = () => Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64 });
export const amount = (description: string) => Type.Integer({ minimum: 0, maximum: limits.amountMax, description });

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

const modifierSchema = Type.Object(
  {
    sku: sku(),
    quantity: Type.Optional(
      Type.Integer({ minimum: 1, maximum: limits.quantityMax, default: 1, description: 'Per item.' }),
    ),
    unitPrice: amount('Minor units; 0 for a free choice.'),
  },
  { additionalProperties: false },
);

const itemSchema = Type.Object(
  {
    sku: sku(),
    quantity: Type.Integer({ minimum: 1, maximum: limits.quantityMax }),
    unitPrice: amount('Price of one without its modifiers, in minor units.'),
    modifiers: Type.Optional(Type.Array(modifierSchema, { maxItems: limits.modifiersPerItemMax })),
    note: Type.Optional(
      lines({
        maxLength: 200,
        description: 'Free text for the kitchen, without control characters but \\t, \\n and \\r.',
      }),
    ),
  },
  { additionalProperties: false },
);

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

const placedAtSchema = Type.String({
  format: 'date-time',
  pattern: instantYears,
  description:
    'When the guest ordered, by RFC 3339: with Z or an offset of hours and minutes, from 2000 to 2099, without leap seconds.',
});

/** An order as a point of sale submits it. Money is an integer in minor units of `currency` (ISO 4217). */
export const orderSchema = Type.Object(
  {
    orderId: orderIdSchema,
    storeId: storeIdSchema,
    channel: Type.Enum(['pos', 'kiosk', 'drive-thru', 'app', 'web', 'delivery']),
    placedAt: placedAtSchema,
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217.' }),
    items: Type.Array(itemSchema, { minItems: 1, maxItems: limits.itemsPerOrderMax }),
    total: amount('Sum of quantity x (unitPrice + its modifiers) over the items, in minor units.'),
    customerId: Type.Optional(line({ minLength: 1, maxLength: 64 })),
    payment: paymentSchema,
  },
  { $id: 'Order', additionalProperties: false },
);

export type Order = Static<typeof orderSchema>;
export type OrderItem = Static<typeof itemSchema>;
export type OrderModifier = Static<typeof modifierSchema>;
export type PaymentMethod = Order['payment']['method'];

/** Price of one line: quantity x (unit price + modifiers), in minor units. */
export function lineTotal(item: OrderItem): number {
  let each = item.unitPrice;
  for (const modifier of item.modifiers ?? []) each += modifier.unitPrice * (modifier.quantity ?? 1);
  return item.quantity * each;
}

/** The sum of the order's lines, in minor units. A valid order's `total` equals it. */
export function orderTotal(order: Pick<Order, 'items'>): number {
  let total = 0;
  for (const item of order.items) total += lineTotal(item);
  return total;
}

/** SKUs and quantities that the order takes from stock, modifiers included. */
export function stockDemand(order: Pick<Order, 'items'>): Map<string, number> {
  const demand = new Map<string, number>();
  for (const item of order.items) {
    demand.set(item.sku, (demand.get(item.sku) ?? 0) + item.quantity);
    for (const modifier of item.modifiers ?? []) {
      const quantity = item.quantity * (modifier.quantity ?? 1);
      demand.set(modifier.sku, (demand.get(modifier.sku) ?? 0) + quantity);
    }
  }
  return demand;
}
