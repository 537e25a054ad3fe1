// Draws what a guest orders. Called by generator.ts.

import type { OrderItem, OrderModifier, OrderPart } from '../../contracts/order/item.ts';
import type { Menu, MenuItem, MenuModifier } from '../../contracts/order/menu.ts';
import { categoryAppetite } from './day.ts';
import { pick, type Random, weighted, zipf } from './random.ts';

/** Lines of an order: most guests take two or three, few a party's worth. */
const lines = weighted([
  [1, 20],
  [2, 28],
  [3, 24],
  [4, 12],
  [5, 7],
  [6, 4],
  [8, 3],
  [10, 1.5],
  [14, 0.5],
]);
const quantities = weighted([
  [1, 82],
  [2, 14],
  [3, 2.5],
  [4, 1],
  [6, 0.5],
]);
const modifierCounts = weighted([
  [0, 62],
  [1, 25],
  [2, 10],
  [3, 3],
]);
const allergies = ['peanut', 'sesame', 'gluten', 'milk', 'egg', 'soy'];
const notes = ['cut in half', 'extra napkins', 'sauce on the side', 'well done', 'ring the bell'];

export interface Kitchen {
  /** Whether its orders have all that a till says, or only what the first version of an order has. */
  readonly realistic: boolean;
  /** A basket as guests order at that minute of the day. */
  basket(random: Random, minute: number): OrderItem[];
}

/** Draws baskets: a category by the time of day, an item of it by popularity, modifiers by taste; with allergies where `realistic`. */
export function createKitchen(menu: Pick<Menu, 'items'>, realistic: boolean): Kitchen {
  const categories = Map.groupBy(menu.items, (item) => item.category);
  const itemOf = new Map([...categories].map(([name, items]) => [name, zipf(items, 0.9)]));
  // One draw a quarter hour of the day: the appetite changes no faster.
  const categoryAt = Array.from({ length: 96 }, (_, quarter) =>
    weighted([...categories.keys()].map((name) => [name, categoryAppetite(name, quarter * 15)] as const)),
  );
  const tastes = new Map(
    menu.items.filter((item) => item.modifiers.length > 0).map((item) => [item.sku, zipf(item.modifiers, 0.7)]),
  );

  const skus = new Map(menu.items.map((item) => [item.sku, item]));
  const line = (random: Random, item: MenuItem): OrderItem => {
    const ordered: OrderItem = { sku: item.sku, quantity: quantities(random), unitPrice: item.price };
    ordered.modifiers = modifiersOf(random, tastes.get(item.sku));
    if (item.parts !== undefined) ordered.parts = partsOf(random, item.parts);
    if (random.chance(0.01)) ordered.note = notes[random.integer(notes.length)] ?? '';
    if (realistic && random.chance(0.01)) ordered.allergies = [allergies[random.integer(allergies.length)] ?? ''];
    return ordered;
  };

  /** One part of each category: a burger, a side and a drink. */
  function partsOf(random: Random, offered: NonNullable<MenuItem['parts']>): OrderPart[] {
    const byCategory = Map.groupBy(offered, ({ sku }) => skus.get(sku)?.category);
    return [...byCategory.values()].map((choice) => {
      const { sku, price } = pick(random, choice);
      const modifiers = modifiersOf(random, tastes.get(sku));
      return { sku, quantity: 1, unitPrice: price, ...(modifiers.length === 0 ? {} : { modifiers }) };
    });
  }

  return {
    realistic,
    basket(random, minute) {
      const basket = new Map<string, OrderItem>();
      const wanted = lines(random);
      while (basket.size < wanted) {
        const category = categoryAt[Math.floor(minute / 15)]?.(random) ?? '';
        const item = itemOf.get(category)?.(random);
        if (item === undefined) throw new Error(`the menu has nothing in its category ${category}`);
        if (!basket.has(item.sku)) basket.set(item.sku, line(random, item));
        else if (basket.size === menu.items.length) break;
      }
      return [...basket.values()];
    },
  };
}

function modifiersOf(random: Random, taste: ((random: Random) => MenuModifier) | undefined): OrderModifier[] {
  const modifiers = new Map<string, MenuModifier>();
  if (taste !== undefined) {
    for (let count = modifierCounts(random); count > 0; count--) {
      const modifier = taste(random);
      modifiers.set(modifier.sku, modifier);
    }
  }
  return [...modifiers.values()].map(({ sku, price }) => ({ sku, quantity: 1, unitPrice: price }));
}
