import { Type } from 'typebox';
import { compileValidator } from '../validation.ts';

const modifier = Type.Object({ sku: Type.String(), quantity: Type.Optional(Type.Integer()) });
const modifiers = Type.Optional(Type.Array(modifier));
const optionalText = Type.Optional(Type.String());

const items = Type.Array(
  Type.Object({
    sku: Type.String(),
    quantity: Type.Integer(),
    modifiers,
    parts: Type.Optional(Type.Array(Type.Object({ sku: Type.String(), quantity: Type.Integer(), modifiers }))),
    allergies: Type.Optional(Type.Array(Type.String())),
    note: optionalText,
  }),
);

/**
 * The parts of an order that its kitchen ticket needs. Less strict than the order's own schema, so that orders of an earlier schema are
 * cooked too. Whatever passes can be stored and shown.
 */
export const validateTicketContent = compileValidator(
  Type.Object({
    channel: Type.String(),
    placedAt: Type.String({ format: 'date-time' }),
    items,
    number: optionalText,
    guest: Type.Optional(Type.Object({ name: Type.String() })),
    fulfilment: Type.Optional(Type.Object({ type: Type.String(), table: optionalText, promisedAt: optionalText })),
  }),
);

/** The items of a ticket, for a check when they are read from the database. */
export const validateTicketItems = compileValidator(items);
