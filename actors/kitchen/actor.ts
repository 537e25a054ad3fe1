// The kitchen actor: turns paid orders into tickets, and moves tickets by the crew's events. The runtime creates it in each slot's thread.

import { eventId, type OrderKitchen, type OrderPaid } from '../../contracts/events.ts';
import { acceptedTimeHeader } from '../../contracts/headers.ts';
import { validateTicketContent } from '../../contracts/order/ticket-content.ts';
import { type Actor, type ActorContext, type Message, skip } from '../../runtime/actor.ts';
import {
  type IgnoredKitchenEvent,
  lockTickets,
  moveTickets,
  notifyTickets,
  openTicketsFor,
  recordIgnored,
  type TicketMove,
  type TurnSql,
} from '../../store/index.ts';
import { acceptedAtOf, createOrderAge } from '../../telemetry/order-age.ts';
import { eventType, eventValue } from '../event-decoder.ts';
import { InvalidMessageError } from '../invalid-message.ts';
import { kitchenCounter } from '../metrics.ts';
import { type KitchenEventType, nextPosition, type Transition } from './ticket-state.ts';

export type KitchenInput = KitchenTicket | KitchenMove;

interface KitchenTicket {
  type: 'order.paid';
  event: OrderPaid;
  /** Opened in the turn that was applied last. A redelivery opens none. */
  isNew: boolean;
}

interface KitchenMove {
  type: KitchenEventType;
  event: OrderKitchen;
}

/**
 * Keeps the tickets: opens one for each paid order, and changes it by the events of the kitchen. It writes no events. What the crew does on
 * the display becomes an event first; the ticket follows.
 */
export function createActor({ registry }: Pick<ActorContext<unknown>, 'registry'>): Actor<KitchenInput> {
  const eventsTotal = kitchenCounter(registry);
  const orderAge = createOrderAge(registry, 'ticket');
  return {
    decode,

    async apply(items, sql) {
      const paid: OrderPaid[] = [];
      const moves: KitchenMove[] = [];
      for (const { input } of items) {
        if (input.type === 'order.paid') paid.push(input.event);
        else moves.push(input);
      }
      const [opened] = await Promise.all([
        openTicketsFor(sql, paid),
        applyMoves(moves, sql, eventsTotal),
        // All orders of the turn, whether or not their tickets have changed: the display reads them again, and this costs no wait here.
        notifyTickets(
          sql,
          items.map(({ input }) => input.event.orderId),
        ),
      ]);
      eventsTotal.inc({ event: 'order.paid', effect: 'opened' }, opened.length);
      const openedNow = new Set(opened);
      for (const { input } of items) if (input.type === 'order.paid') input.isNew = openedNow.has(input.event.orderId);
      return items.map(() => []);
    },

    completed(input, message) {
      if (input.type !== 'order.paid' || !input.isNew) return;
      const acceptedAtMs = acceptedAtOf(message.header(acceptedTimeHeader));
      if (acceptedAtMs !== undefined) orderAge(acceptedAtMs);
    },
  };
}

function decode(message: Message): KitchenInput | typeof skip {
  const type = eventType(message);
  switch (type) {
    case 'order.paid': {
      const event = eventValue(type, message);
      const content = validateTicketContent(event.order);
      if (content.ok) return { type, event, isNew: false };
      const faults = content.errors.map(({ pointer, detail }) => `order${pointer} ${detail}`);
      throw new InvalidMessageError('invalid-event', faults.join('; '));
    }
    case 'order.cooking':
    case 'order.cooked':
    case 'order.recalled': {
      const event = eventValue(type, message);
      if (!Number.isSafeInteger(event.round) || event.round < 1)
        throw new InvalidMessageError('invalid-event', `round ${event.round} is not a count from 1`);
      return { type, event };
    }
    default:
      return skip;
  }
}

async function applyMoves(
  events: readonly KitchenMove[],
  sql: TurnSql,
  eventsTotal: ReturnType<typeof kitchenCounter>,
): Promise<void> {
  if (events.length === 0) return;
  const tickets = await lockTickets(
    sql,
    events.map(({ event }) => event.orderId),
  );
  const moves: TicketMove[] = [];
  const ignored: IgnoredKitchenEvent[] = [];
  for (const { type, event } of events) {
    const { orderId, round, occurredAt } = event;
    const ticket = tickets.get(orderId);
    const transition: Transition = ticket === undefined ? { kind: 'illegal' } : nextPosition(ticket, type, round);
    eventsTotal.inc({ event: type, effect: transition.kind });
    if (transition.kind === 'moved') moves.push({ orderId, ...transition.to, type, at: occurredAt });
    else if (transition.kind === 'illegal') {
      ignored.push({ eventId: eventId(orderId, type, round), orderId, type, round, ticket });
    }
  }
  await Promise.all([moveTickets(sql, moves), recordIgnored(sql, ignored)]);
}
