// Opens and changes tickets. Called by the kitchen actor.

import type { OrderPaid } from '../../contracts/events.ts';
import { column } from '../database/column.ts';
import type { Transaction } from '../database/database.ts';

export type TicketState = 'open' | 'cooking' | 'cooked';

/** The state of a ticket. */
export interface TicketPosition {
  state: TicketState;
  /** From 1; each recall adds 1. */
  round: number;
}

export interface TicketMove extends TicketPosition {
  orderId: string;
  type: 'order.cooking' | 'order.cooked' | 'order.recalled';
  /** RFC 3339. */
  at: string;
}

export interface IgnoredKitchenEvent {
  eventId: string;
  orderId: string;
  type: string;
  round: number;
  /** The ticket at that moment; undefined if there was none. */
  ticket: TicketPosition | undefined;
}

/** The channel on which changed tickets are announced. */
export const ticketsChannel = 'tickets';

/** NOTIFY takes less than 8,000 bytes; an order id and its comma have 37. */
const IDS_PER_NOTIFICATION = 200;

/** Opens a ticket for each order that has none, and returns these orders. */
export async function openTicketsFor(sql: Transaction, paid: readonly OrderPaid[]): Promise<string[]> {
  if (paid.length === 0) return [];
  const rows = await sql<{ orderId: string }[]>`
    insert into tickets (order_id, store_id, state, round, channel, items, total, currency, placed_at, paid_at, number, guest, fulfilment)
    select order_id, store_id, 'open', 1, channel, items::json, total, currency, placed_at, paid_at, number, guest, fulfilment::json
    from unnest(
      ${column(paid, (event) => event.orderId)}::uuid[],
      ${column(paid, (event) => event.storeId)}::text[],
      ${column(paid, (event) => event.order.channel)}::text[],
      ${column(paid, (event) => JSON.stringify(event.order.items))}::text[],
      ${column(paid, (event) => event.total)}::integer[],
      ${column(paid, (event) => event.currency)}::text[],
      ${column(paid, (event) => new Date(event.order.placedAt).toISOString())}::timestamptz[],
      ${column(paid, (event) => event.occurredAt)}::timestamptz[],
      ${column(paid, ({ order }) => order.number ?? null)}::text[],
      ${column(paid, ({ order }) => order.guest?.name ?? null)}::text[],
      ${column(paid, ({ order }) => (order.fulfilment === undefined ? null : JSON.stringify(order.fulfilment)))}::text[]
    ) as t(order_id, store_id, channel, items, total, currency, placed_at, paid_at, number, guest, fulfilment)
    on conflict (order_id) do nothing returning order_id as "orderId"`;
  return rows.map((row) => row.orderId);
}

/** Locks tickets until the transaction ends, in the same order everywhere. */
export async function lockTickets(sql: Transaction, orderIds: readonly string[]): Promise<Map<string, TicketPosition>> {
  const rows = await sql<({ orderId: string } & TicketPosition)[]>`
    select order_id as "orderId", state, round from tickets
    where order_id = any(${orderIds}::uuid[]) order by order_id for update`;
  return new Map(rows.map(({ orderId, state, round }) => [orderId, { state, round }]));
}

/** Changes tickets that this transaction has locked. */
export async function moveTickets(sql: Transaction, moves: readonly TicketMove[]): Promise<void> {
  if (moves.length === 0) return;
  await sql`
    update tickets set state = t.state, round = t.round,
      cooking_at = case t.type when 'order.cooking' then t.at when 'order.recalled' then null else cooking_at end,
      cooked_at = case t.type when 'order.cooked' then t.at when 'order.recalled' then null else cooked_at end,
      recalled_at = case t.type when 'order.recalled' then t.at else recalled_at end
    from unnest(
      ${column(moves, (move) => move.orderId)}::uuid[],
      ${column(moves, (move) => move.state)}::text[],
      ${column(moves, (move) => move.round)}::integer[],
      ${column(moves, (move) => move.type)}::text[],
      ${column(moves, (move) => move.at)}::timestamptz[]
    ) as t(order_id, state, round, type, at)
    where tickets.order_id = t.order_id`;
}

export async function recordIgnored(sql: Transaction, events: readonly IgnoredKitchenEvent[]): Promise<void> {
  if (events.length === 0) return;
  await sql`
    insert into ignored_kitchen_events (event_id, order_id, type, round, ticket_state, ticket_round)
    select * from unnest(
      ${column(events, (event) => event.eventId)}::text[],
      ${column(events, (event) => event.orderId)}::uuid[],
      ${column(events, (event) => event.type)}::text[],
      ${column(events, (event) => event.round)}::integer[],
      ${column(events, (event) => event.ticket?.state ?? null)}::text[],
      ${column(events, (event) => event.ticket?.round ?? null)}::integer[]
    )
    on conflict do nothing`;
}

/** Announces changed tickets to the displays when the transaction commits. */
export async function notifyTickets(sql: Transaction, orderIds: readonly string[]): Promise<void> {
  const payloads: string[] = [];
  for (let from = 0; from < orderIds.length; from += IDS_PER_NOTIFICATION) {
    payloads.push(orderIds.slice(from, from + IDS_PER_NOTIFICATION).join());
  }
  if (payloads.length === 0) return;
  await sql`select pg_notify(${ticketsChannel}, payload) from unnest(${payloads}::text[]) as payload`;
}
