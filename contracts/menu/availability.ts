// What a store says of one item: whether it can be sold, and how much of it there is. Used by gateway, store, edge and cli.

import { type Static, Type } from 'typebox';
import { line } from '../order/text.ts';
import { compileValidator } from '../validation.ts';

/** The body of `PUT /v1/menus/<store>/items/<sku>/availability`. */
export const availabilitySchema = Type.Object(
  {
    available: Type.Optional(
      Type.Boolean({ description: 'false: the item is 86’d, and orders placed from now on are refused.' }),
    ),
    onHand: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2_000_000_000, description: 'Pieces that were counted in the store.' }),
    ),
    reason: Type.Optional(line({ minLength: 1, maxLength: 200, description: 'For people: why.' })),
    changeId: Type.Optional(
      Type.String({
        format: 'uuid',
        pattern: '^[0-9a-f-]{36}$',
        description: 'UUID in lower case, made by the client: a count that is sent again under it counts once.',
      }),
    ),
  },
  {
    $id: 'Availability',
    additionalProperties: false,
    anyOf: [{ required: ['available'] }, { required: ['onHand'] }],
  },
);

export type Availability = Static<typeof availabilitySchema>;

/** Checks the body of a request. */
export const validateAvailability = compileValidator(availabilitySchema);

/** What cannot be sold, since when (RFC 3339). */
export interface UnavailableItem {
  sku: string;
  since: string;
  reason?: string;
}

/** What a store has of one SKU after a change. */
export interface ItemState {
  storeId: string;
  sku: string;
  available: boolean;
  /** While it is not available. */
  since?: string;
  reason?: string;
  onHand: number;
  /** Goes up with every change of the store. */
  revision: number;
}
