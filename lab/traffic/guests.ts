// Draws who orders, and how they pay. Called by generator.ts.

import type { Order } from '../../contracts/order/order.ts';
import { type Random, weighted } from './random.ts';

type Channel = Order['channel'];

export interface Guest {
  channel: Channel;
  customerId?: string;
  payment: Order['payment'];
}

const channels = weighted<Channel>([
  ['drive-thru', 38],
  ['pos', 24],
  ['kiosk', 13],
  ['app', 14],
  ['delivery', 8],
  ['web', 3],
]);

const methods: Record<Channel, (random: Random) => Order['payment']['method']> = {
  'drive-thru': weighted([
    ['card', 72],
    ['cash', 20],
    ['app', 8],
  ]),
  pos: weighted([
    ['card', 64],
    ['cash', 34],
    ['app', 2],
  ]),
  kiosk: weighted([['card', 1]]),
  app: weighted([
    ['app', 85],
    ['card', 15],
  ]),
  delivery: weighted([
    ['app', 60],
    ['card', 40],
  ]),
  web: weighted([['card', 1]]),
};

/** How often the chain knows who orders: always in the app, seldom at the counter. */
const known: Record<Channel, number> = { 'drive-thru': 0.15, pos: 0.12, kiosk: 0.2, app: 1, delivery: 0.95, web: 0.9 };

const REGULARS_PER_STORE = 3_000;

/** A guest with a channel, a way to pay and, where the chain knows them, an identity that comes back. */
export function regularGuest(random: Random, storeId: string): Guest {
  const channel = channels(random);
  const method = methods[channel](random);
  if (!random.chance(known[channel])) return guest(channel, method, hex(random));
  // Squaring favours low numbers: some guests come every day, most hardly ever.
  const number = Math.floor(random.next() ** 2 * REGULARS_PER_STORE);
  return guest(channel, method, `${storeId}-${number}`, `c-${storeId}-${number}`);
}

/** A guest never seen before: for orders that must not meet a velocity rule. */
export function newGuest(random: Random): Guest {
  const channel = channels(random);
  const identity = hex(random) + hex(random);
  return guest(channel, methods[channel](random), identity, `c-${identity}`);
}

function guest(channel: Channel, method: Order['payment']['method'], card: string, customerId?: string): Guest {
  const payment = method === 'cash' ? { method } : { method, token: `tok_${method}_${card}` };
  return customerId === undefined ? { channel, payment } : { channel, payment, customerId };
}

function hex(random: Random): string {
  return random.bits().toString(16).padStart(8, '0');
}
