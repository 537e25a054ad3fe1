import type { OrderItem } from '../../contracts/order/item.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { Database } from '../database/database.ts';
import type { TicketPosition } from './tickets.ts';

/** A ticket as the kitchen display reads it. */
export interface Ticket extends TicketPosition {
  orderId: string;
  storeId: string;
  channel: string;
  /** The number on the receipt, and the name that is called out. */
  number: string | null;
  guest: string | null;
  fulfilment: Order['fulfilment'] | null;
  items: OrderItem[];
  /** Minor units. */
  total: number;
  currency: string;
  placedAt: Date;
  paidAt: Date;
  cookingAt: Date | null;
  cookedAt: Date | null;
  recalledAt: Date | null;
}

export interface StoreTicketCount {
  storeId: string;
  /** Tickets that are not cooked yet. */
  open: number;
  /** When the oldest of these tickets was paid. */
  oldestPaidAt: Date;
}

export interface TicketQuery {
  /** Tickets of all stores when absent. */
  storeId?: string;
  limit: number;
  /** Newest payment first, instead of oldest first. */
  newestFirst?: boolean;
}

const columns = (database: Database) => database`
  order_id as "orderId", store_id as "storeId", state, round, channel, number, guest, fulfilment, items, total, currency, placed_at as "placedAt",
  paid_at as "paidAt", cooking_at as "cookingAt", cooked_at as "cookedAt", recalled_at as "recalledAt"`;

/** Tickets that are not cooked yet, oldest payment first by default. */
export async function openTickets(
  database: Database,
  { storeId, limit, newestFirst = false }: TicketQuery,
): Promise<Ticket[]> {
  const ofStore = storeId === undefined ? database`` : database`and store_id = ${storeId}`;
  const order = newestFirst ? database`paid_at desc, order_id desc` : database`paid_at, order_id`;
  return database<Ticket[]>`
    select ${columns(database)} from tickets where state <> 'cooked' ${ofStore} order by ${order} limit ${limit}`;
}

/** The tickets cooked last, newest first: they can be recalled. */
export async function recentlyCooked(
  database: Database,
  { storeId, limit }: TicketQuery & { storeId: string },
): Promise<Ticket[]> {
  return database<Ticket[]>`
    select ${columns(database)} from tickets where state = 'cooked' and store_id = ${storeId}
    order by cooked_at desc limit ${limit}`;
}

export async function ticketsById(database: Database, orderIds: readonly string[]): Promise<Ticket[]> {
  return database<Ticket[]>`
    select ${columns(database)} from tickets where order_id = any(${orderIds}::uuid[])`;
}

/** The number of tickets that are not cooked yet, by store. Stores without any are absent. */
export async function openTicketCounts(database: Database): Promise<StoreTicketCount[]> {
  return database<StoreTicketCount[]>`
    select store_id as "storeId", count(*)::integer as open, min(paid_at) as "oldestPaidAt"
    from tickets where state <> 'cooked' group by store_id order by store_id`;
}
