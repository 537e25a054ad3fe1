import { Type } from 'typebox';
import { compileValidator } from '../validation.ts';

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
 * The parts of an order that its kitchen ticket needs. Looser than the order's own schema, so that orders of an earlier schema are cooked too; whatever
 * passes this check can be stored and shown.
 */
export const validateTicketContent = compileValidator(
  Type.Object({ channel: Type.String(), placedAt: Type.String({ format: 'date-time' }), items }),
);

/** The items of a ticket, to check them when they are read back from the database. */
export const validateTicketItems = compileValidator(items);
