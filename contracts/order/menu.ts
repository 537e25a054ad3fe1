import { type Static, Type } from 'typebox';
import { compileValidator, type FieldError } from '../validation.ts';
import { amount, sku } from './item.ts';
import { storeIdSchema } from './order.ts';
import { line } from './text.ts';

const name = () => line({ minLength: 1, maxLength: 80 });
const currency = () => Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217.' });
const timeOfDay = (description: string) => Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description });
const onHand = () => Type.Integer({ minimum: 0, maximum: 2_000_000_000, description: 'Pieces on hand.' });

const modifierSchema = Type.Object(
  { sku: sku(), name: name(), price: amount('Added to the price of one item, in minor units.') },
  { additionalProperties: false },
);

const partSchema = Type.Object(
  { sku: sku(), price: amount('Price of one within the combo, in minor units.') },
  { additionalProperties: false },
);

export const itemSchema = Type.Object(
  {
    sku: sku(),
    name: name(),
    category: line({ minLength: 1, maxLength: 40 }),
    price: amount('Price of one without modifiers, in minor units.'),
    modifiers: Type.Array(modifierSchema, {
      description: 'What a guest may add; each takes from the stock of its SKU.',
    }),
    parts: Type.Optional(
      Type.Array(partSchema, { description: 'For a combo: the items of the menu that it may contain.' }),
    ),
    station: Type.Optional(line({ minLength: 1, maxLength: 40, description: 'Where in the kitchen it is made.' })),
  },
  { additionalProperties: false },
);

const storeSchema = Type.Object(
  {
    storeId: storeIdSchema,
    name: name(),
    timezone: Type.String({ minLength: 1, description: 'IANA time zone, for example America/Chicago.' }),
    opens: timeOfDay('Local time from which orders are taken.'),
    closes: timeOfDay('Local time until which orders are taken; before `opens`: past midnight, equal: open all day.'),
    currency: Type.Optional(currency()),
  },
  { additionalProperties: false },
);

const stockSchema = Type.Object(
  {
    default: onHand(),
    overrides: Type.Optional(
      Type.Array(
        Type.Object(
          { storeId: Type.Optional(storeIdSchema), sku: sku(), onHand: onHand() },
          { additionalProperties: false },
        ),
        { description: 'Later ones win; without a storeId it holds for every store.' },
      ),
    ),
  },
  { additionalProperties: false },
);

/**
 * The file that `menu load` reads: what a chain sells, where and when, and the first stock of each store. Every SKU, of an item or a
 * modifier, is in stock in every store.
 */
export const menuSchema = Type.Object(
  {
    currency: currency(),
    items: Type.Array(itemSchema, { minItems: 1 }),
    stores: Type.Array(storeSchema, { minItems: 1 }),
    stock: stockSchema,
  },
  { $id: 'Menu', additionalProperties: false },
);

export type Menu = Static<typeof menuSchema>;
export type MenuItem = Static<typeof itemSchema>;
export type MenuModifier = Static<typeof modifierSchema>;
export type MenuStore = Static<typeof storeSchema>;

/** A menu file that can't be used; every fault with its JSON Pointer. */
export class MenuError extends Error {
  override name = 'MenuError';
  readonly errors: FieldError[];
  constructor(errors: FieldError[]) {
    super(errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('\n'));
    this.errors = errors;
  }
}

let validate: ReturnType<typeof compileValidator<typeof menuSchema>> | undefined;

/**
 * Checks the shape, and what a schema can't express: SKUs and stores are unique, time zones exist, overrides name existing things.
 * @throws MenuError
 */
export function parseMenu(document: unknown): Menu {
  validate ??= compileValidator(menuSchema);
  const checked = validate(document);
  if (!checked.ok) throw new MenuError(checked.errors);
  const faults = [...itemFaults(checked.value), ...storeFaults(checked.value), ...stockFaults(checked.value)];
  if (faults.length > 0) throw new MenuError(faults);
  return checked.value;
}

/** Every SKU that a store keeps in stock: items and modifiers; the parts of a combo are items. */
export function stockedSkus(menu: Pick<Menu, 'items'>): Set<string> {
  return new Set(menu.items.flatMap((item) => [item.sku, ...item.modifiers.map((modifier) => modifier.sku)]));
}

function* itemFaults({ items }: Menu): Generator<FieldError> {
  const skus = new Set(items.map((item) => item.sku));
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (seen.has(item.sku)) yield { pointer: `/items/${index}/sku`, detail: `${item.sku} is on the menu twice` };
    seen.add(item.sku);
    const modifiers = new Set<string>();
    for (const [at, modifier] of item.modifiers.entries()) {
      const pointer = `/items/${index}/modifiers/${at}/sku`;
      if (modifiers.has(modifier.sku)) yield { pointer, detail: `${modifier.sku} is a modifier of ${item.sku} twice` };
      modifiers.add(modifier.sku);
    }
    yield* partFaults(item, `/items/${index}/parts`, skus);
  }
}

/** A part is an item of the menu itself, because the kitchen needs its name and its modifiers. */
function* partFaults(
  { sku: combo, parts = [] }: MenuItem,
  at: string,
  skus: ReadonlySet<string>,
): Generator<FieldError> {
  const seen = new Set<string>();
  for (const [index, part] of parts.entries()) {
    const pointer = `${at}/${index}/sku`;
    if (seen.has(part.sku)) yield { pointer, detail: `${part.sku} is a part of ${combo} twice` };
    if (!skus.has(part.sku)) yield { pointer, detail: `${part.sku} is a part of ${combo} and no item of the menu` };
    if (part.sku === combo) yield { pointer, detail: `${combo} cannot be a part of itself` };
    seen.add(part.sku);
  }
}

function* storeFaults({ stores }: Menu): Generator<FieldError> {
  const seen = new Set<string>();
  for (const [index, store] of stores.entries()) {
    if (seen.has(store.storeId))
      yield { pointer: `/stores/${index}/storeId`, detail: `${store.storeId} is listed twice` };
    seen.add(store.storeId);
    if (!isTimeZone(store.timezone)) {
      yield { pointer: `/stores/${index}/timezone`, detail: `${store.timezone} is not an IANA time zone` };
    }
  }
}

function* stockFaults(menu: Menu): Generator<FieldError> {
  const skus = stockedSkus(menu);
  const storeIds = new Set(menu.stores.map((store) => store.storeId));
  for (const [index, override] of (menu.stock.overrides ?? []).entries()) {
    const pointer = `/stock/overrides/${index}`;
    if (!skus.has(override.sku)) yield { pointer: `${pointer}/sku`, detail: `${override.sku} is not on the menu` };
    if (override.storeId !== undefined && !storeIds.has(override.storeId)) {
      yield { pointer: `${pointer}/storeId`, detail: `${override.storeId} is not one of the stores` };
    }
  }
}

function isTimeZone(timezone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    return true;
  } catch {
    // Intl throws for a time zone that it does not know.
    return false;
  }
}
