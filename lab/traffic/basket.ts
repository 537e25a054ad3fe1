// Draws what a guest orders. Called by generator.ts.

import type { Menu, MenuItem, MenuModifier } from '../../contracts/order/menu.ts';
import type { OrderItem } from '../../contracts/order/order.ts';
import { categoryAppetite } from './day.ts';
import { type Random, weighted, zipf } from './random.ts';

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
const notes = ['cut in half', 'extra napkins', 'sauce on the side', 'allergy: sesame', 'well done', 'ring the bell'];

export interface Kitchen {
  /** A basket as guests order at that minute of the day. */
  basket(random: Random, minute: number): OrderItem[];
}

/** Draws baskets: a category by the time of day, an item of it by popularity, modifiers by taste. */
export function createKitchen(menu: Pick<Menu, 'items'>): Kitchen {
  const categories = Map.groupBy(menu.items, (item) => item.category);
  const itemOf = new Map([...categories].map(([name, items]) => [name, zipf(items, 0.9)]));
  // One draw a quarter hour of the day: the appetite changes no faster.
  const categoryAt = Array.from({ length: 96 }, (_, quarter) =>
    weighted([...categories.keys()].map((name) => [name, categoryAppetite(name, quarter * 15)] as const)),
  );
  const tastes = new Map(
    menu.items.filter((item) => item.modifiers.length > 0).map((item) => [item.sku, zipf(item.modifiers, 0.7)]),
  );

  return {
    basket(random, minute) {
      const basket = new Map<string, OrderItem>();
      const wanted = lines(random);
      while (basket.size < wanted) {
        const category = categoryAt[Math.floor(minute / 15)]?.(random) ?? '';
        const item = itemOf.get(category)?.(random);
        if (item === undefined) throw new Error(`the menu has nothing in its category ${category}`);
        if (!basket.has(item.sku)) basket.set(item.sku, line(random, item, tastes.get(item.sku)));
        else if (basket.size === menu.items.length) break;
      }
      return [...basket.values()];
    },
  };
}

function line(random: Random, item: MenuItem, taste: ((random: Random) => MenuModifier) | undefined): OrderItem {
  const order: OrderItem = { sku: item.sku, quantity: quantities(random), unitPrice: item.price };
  const modifiers = new Map<string, MenuModifier>();
  if (taste !== undefined) {
    for (let count = modifierCounts(random); count > 0; count--) {
      const modifier = taste(random);
      modifiers.set(modifier.sku, modifier);
    }
  }
  order.modifiers = [...modifiers.values()].map(({ sku, price }) => ({ sku, quantity: 1, unitPrice: price }));
  if (random.chance(0.01)) order.note = notes[random.integer(notes.length)] ?? '';
  return order;
}
