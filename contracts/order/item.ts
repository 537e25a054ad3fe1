// The schema and the types of an order's items. Used by order.ts, and by whoever reads items.

import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { line, lines } from './text.ts';

/** SKU of a menu item or modifier: lower-case words joined by hyphens. */
export const sku = () => Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64 });
export const amount = (description: string) => Type.Integer({ minimum: 0, maximum: limits.amountMax, description });

const modifierSchema = Type.Object(
  {
    sku: sku(),
    quantity: Type.Optional(
      Type.Integer({ minimum: 1, maximum: limits.quantityMax, default: 1, description: 'Per item or part.' }),
    ),
    unitPrice: amount('Minor units; 0 for a free choice.'),
  },
  { additionalProperties: false },
);

const modifiers = () => Type.Optional(Type.Array(modifierSchema, { maxItems: limits.modifiersPerItemMax }));

const partSchema = Type.Object(
  {
    sku: sku(),
    quantity: Type.Integer({ minimum: 1, maximum: limits.quantityMax, description: 'Per combo.' }),
    unitPrice: amount("What one adds to the combo's own price, in minor units; 0 if that contains it."),
    modifiers: modifiers(),
  },
  { additionalProperties: false },
);

export const itemSchema = Type.Object(
  {
    sku: sku(),
    quantity: Type.Integer({ minimum: 1, maximum: limits.quantityMax }),
    unitPrice: amount('Price of one without its modifiers and parts, in minor units.'),
    modifiers: modifiers(),
    parts: Type.Optional(
      Type.Array(partSchema, {
        maxItems: limits.partsPerItemMax,
        description: 'What a combo is made of. Stock is taken of the parts, not of the combo.',
      }),
    ),
    allergies: Type.Optional(
      Type.Array(line({ minLength: 1, maxLength: 40 }), {
        maxItems: limits.allergiesPerItemMax,
        description: 'What must not be in it, as peanut: the kitchen sees it apart from the note.',
      }),
    ),
    note: Type.Optional(
      lines({
        maxLength: 200,
        description: 'Free text for the kitchen, without control characters but \\t, \\n and \\r.',
      }),
    ),
  },
  { additionalProperties: false },
);

export type OrderItem = Static<typeof itemSchema>;
export type OrderPart = Static<typeof partSchema>;
export type OrderModifier = Static<typeof modifierSchema>;

/** Price of one line: quantity x (unit price + modifiers + parts), in minor units. */
export function lineTotal({ quantity, unitPrice, modifiers, parts = [] }: OrderItem): number {
  let each = unitPrice + modifiersTotal(modifiers);
  for (const part of parts) each += part.quantity * (part.unitPrice + modifiersTotal(part.modifiers));
  return quantity * each;
}

function modifiersTotal(modifiers: readonly OrderModifier[] = []): number {
  let total = 0;
  for (const { unitPrice, quantity = 1 } of modifiers) total += unitPrice * quantity;
  return total;
}
