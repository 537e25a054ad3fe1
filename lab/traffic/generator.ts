// Generates the orders of the simulated chain. Used by commands that send or print orders, by the lab and by the benchmarks.

import type { Menu, MenuStore } from '../../contracts/order/menu.ts';
import { type Order, orderTotal } from '../../contracts/order/order.ts';
import { createKitchen } from './basket.ts';
import { chainMenu, isOpen, localMinute } from './chain.ts';
import { checkout } from './checkout.ts';
import { demandAt, demandMax } from './day.ts';
import { type Malformation, malformationNames, malformations } from './faults.ts';
import { type Guest, newGuest, regularGuest } from './guests.ts';
import { createRandom, exponential, pick, type Random, uuidV7, zipf } from './random.ts';

/** What an order was made to be. Only `regular` ones are certain to be valid. */
export type OrderKind = 'regular' | 'card-burst' | 'absurd-amount' | 'scarce-item' | 'closed-store' | Malformation;

export interface GeneratedOrder {
  orderId: string;
  storeId: string;
  kind: OrderKind;
  /** The order itself; the body of a malformed one differs from it. */
  order: Order;
  /** What the point of sale sends. */
  body: string;
}

export interface TrafficOptions {
  seed: number;
  /** Absent: the simulated chain's. */
  menu?: Menu;
  /**
   * Off, every order is valid: right prices, an open store, stock for it, a guest never seen before. On, guests return, and some
   * orders are fraud, ask for what has run out, come after hours or are malformed (0.1 %).
   */
  realistic?: boolean;
}

export interface Traffic {
  readonly seed: number;
  /** The next order, placed at that time. The same seed and times give the same orders to the byte, ids included. */
  order(atMs: number): GeneratedOrder;
  /** Time until the next order of a chain with that many orders a second, in milliseconds. */
  wait(ratePerSecond: number): number;
}

const MALFORMED_SHARE = 0.001;
const BURST_SHARE = 0.0008;
const ABSURD_SHARE = 0.001;
const SCARCE_SHARE = 0.003;
const CLOSED_SHARE = 0.001;
const ATTEMPTS_MAX = 10_000;
/** No guest spends more, in minor units: far below what a fraud rule would stop. */
const SPEND_MAX = 25_000;

export function createTraffic({ seed, menu = chainMenu(), realistic = false }: TrafficOptions): Traffic {
  const random = createRandom(seed);
  const kitchen = createKitchen(realistic ? menu : plain(menu), realistic);
  const storeOf = zipf(menu.stores, 0.25);
  const scarce = (menu.stock.overrides ?? []).filter(({ storeId, sku }) => storeId !== undefined && itemOf(menu, sku));
  const partTime = menu.stores.filter(({ opens, closes }) => opens !== closes);
  let burst: { storeId: string; guest: Guest; left: number } | undefined;
  let malformed = 0;

  function regular(atMs: number): GeneratedOrder {
    const store = busyStore(random, storeOf, atMs);
    return finish(
      random,
      atMs,
      store,
      kitchen,
      realistic ? regularGuest(random, store.storeId) : newGuest(random),
      'regular',
    );
  }

  function unusual(atMs: number): GeneratedOrder | undefined {
    if (burst === undefined && random.chance(BURST_SHARE)) {
      const store = busyStore(random, storeOf, atMs);
      const payment = { method: 'card' as const, token: `tok_card_stolen_${random.bits().toString(16)}` };
      burst = { storeId: store.storeId, guest: { channel: 'web', payment }, left: 10 + random.integer(15) };
    }
    if (burst !== undefined && random.chance(0.3)) {
      const { storeId, guest } = burst;
      burst.left--;
      if (burst.left === 0) burst = undefined;
      const store = menu.stores.find((candidate) => candidate.storeId === storeId) as MenuStore;
      return finish(random, atMs, store, kitchen, guest, 'card-burst');
    }
    if (random.chance(ABSURD_SHARE)) return absurd(regular(atMs), random);
    if (scarce.length > 0 && random.chance(SCARCE_SHARE)) {
      const { storeId, sku } = pick(random, scarce);
      const store = menu.stores.find((candidate) => candidate.storeId === storeId) as MenuStore;
      return asking(
        finish(random, atMs, store, kitchen, regularGuest(random, store.storeId), 'scarce-item'),
        menu,
        sku,
      );
    }
    if (partTime.length > 0 && random.chance(CLOSED_SHARE)) {
      const store = pick(random, partTime);
      if (!isOpen(store, atMs))
        return finish(random, atMs, store, kitchen, regularGuest(random, store.storeId), 'closed-store');
    }
    if (random.chance(MALFORMED_SHARE)) {
      // In turn, so that even a short run has seen several kinds.
      const kind = malformationNames[malformed++ % malformationNames.length] as Malformation;
      const sound = regular(atMs);
      return { ...sound, kind, body: malformations[kind](sound.order, random) };
    }
    return undefined;
  }

  return {
    seed,
    order: (atMs) => (realistic ? unusual(atMs) : undefined) ?? regular(atMs),
    wait: (ratePerSecond) => exponential(random, ratePerSecond) * 1_000,
  };
}

/** A store that is open, drawn by how busy it is at its local time. */
function busyStore(random: Random, storeOf: (random: Random) => MenuStore, atMs: number): MenuStore {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const store = storeOf(random);
    if (isOpen(store, atMs) && random.chance(demandAt(localMinute(store, atMs)) / demandMax)) return store;
  }
  throw new Error(`no store of the menu is open at ${new Date(atMs).toISOString()}`);
}

function finish(
  random: Random,
  atMs: number,
  store: MenuStore,
  kitchen: ReturnType<typeof createKitchen>,
  { channel, customerId, payment }: Guest,
  kind: OrderKind,
): GeneratedOrder {
  let items = kitchen.basket(random, localMinute(store, atMs));
  while (orderTotal({ items }) > SPEND_MAX) items = kitchen.basket(random, localMinute(store, atMs));
  const order: Order = {
    orderId: uuidV7(random, atMs),
    storeId: store.storeId,
    channel,
    placedAt: new Date(atMs).toISOString(),
    currency: 'USD',
    ...(kitchen.realistic ? checkout(random, channel, items) : { items, total: orderTotal({ items }) }),
    ...(customerId === undefined ? {} : { customerId }),
    payment,
  };
  return sent(order, kind);
}

function absurd({ order }: GeneratedOrder, random: Random): GeneratedOrder {
  const items = order.items.map((item) => ({ ...item, quantity: 200 + random.integer(700) }));
  return sent({ ...order, items, total: orderTotal({ ...order, items }) }, 'absurd-amount');
}

function asking({ order }: GeneratedOrder, menu: Menu, sku: string): GeneratedOrder {
  const item = itemOf(menu, sku);
  const wanted = { sku, quantity: 1, unitPrice: item?.price ?? 0, modifiers: [] };
  const items = [wanted, ...order.items.filter((other) => other.sku !== sku)];
  return sent({ ...order, items, total: orderTotal({ ...order, items }) }, 'scarce-item');
}

function sent(order: Order, kind: OrderKind): GeneratedOrder {
  return { orderId: order.orderId, storeId: order.storeId, kind, order, body: JSON.stringify(order) };
}

function itemOf(menu: Menu, sku: string) {
  return menu.items.find((item) => item.sku === sku);
}

/** The menu without combos, and without anything that some store has little of. */
function plain(menu: Menu): Pick<Menu, 'items'> {
  const scarce = new Set((menu.stock.overrides ?? []).map(({ sku }) => sku));
  return {
    items: menu.items
      .filter(({ sku, parts }) => !scarce.has(sku) && parts === undefined)
      .map((item) => ({ ...item, modifiers: item.modifiers.filter(({ sku }) => !scarce.has(sku)) })),
  };
}
