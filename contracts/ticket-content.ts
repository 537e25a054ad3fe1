import { Type } from 'typebox';
import { compileValidator } from './validation.ts';

const modifier = Type.Object({ sku: Type.String(), quantity: Type.Optional(Type.Integer()) });

const items = Type.Array(
  Type.Object({
    sku: Type.String(),
    quantity: Type.Integer(),
    modifiers: Type.Optional(Type.Array(modifier)),
    note: Type.Optional(Type.String()),
  }),
);

/**
 * What a ticket is made of. Looser than the order's own schema: an order that was taken under an earlier schema is cooked too, but what passes here
 * can be stored and shown.
 */
export const validateTicketContent = compileValidator(
  Type.Object({ channel: Type.String(), placedAt: Type.String({ format: 'date-time' }), items }),
);

/** The items of a ticket alone, for whoever reads them back. */
export const validateTicketItems = compileValidator(items);
