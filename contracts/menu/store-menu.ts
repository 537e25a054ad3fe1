// The menu of one store, as `GET /v1/menus/<store>` answers it. Made by store/menus/, kept and read by the edge agent.

import { type Static, Type } from 'typebox';
import { sku } from '../order/item.ts';
import { itemSchema } from '../order/menu.ts';
import { storeIdSchema } from '../order/order.ts';
import { compileValidator } from '../validation.ts';

const instant = (description: string) => Type.String({ format: 'date-time', description });
const timeOfDay = (description: string) => Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description });

export const storeMenuSchema = Type.Object(
  {
    storeId: storeIdSchema,
    version: Type.Integer({ minimum: 1, description: 'The load that made this version.' }),
    menuVersion: Type.Integer({ minimum: 1, description: 'The number of loads so far, as in `menu.changed`.' }),
    revision: Type.Integer({
      minimum: 0,
      description: 'Goes up with every change of what the store can sell, as in `menu.changed`.',
    }),
    effectiveAt: instant('From when orders are judged by it.'),
    until: Type.Optional(instant('When the next version takes effect, as far as is known; ask again with `at`.')),
    name: Type.String(),
    timezone: Type.String({ description: 'IANA time zone of `opens` and `closes`.' }),
    opens: timeOfDay('Local time from which orders are taken.'),
    closes: timeOfDay('Before `opens`: past midnight, equal: open all day.'),
    currency: Type.String({ description: 'ISO 4217.' }),
    items: Type.Array(itemSchema),
    unavailable: Type.Array(
      Type.Object({
        sku: sku(),
        since: instant('Orders placed from then on are refused.'),
        reason: Type.Optional(Type.String()),
      }),
      { description: 'What the store cannot sell now: items and modifiers.' },
    ),
  },
  { $id: 'StoreMenu' },
);

export type StoreMenu = Static<typeof storeMenuSchema>;

export const validateStoreMenu = compileValidator(storeMenuSchema);
