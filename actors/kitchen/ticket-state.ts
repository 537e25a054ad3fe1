import type { TicketPosition } from '../../store/index.ts';

export type KitchenEventType = 'order.cooking' | 'order.cooked' | 'order.recalled';

/**
 * What an event does to a ticket: moves it, or nothing because the ticket is already past it (a screen bumped twice, a redelivery), or
 * nothing because it makes no sense in this state (`illegal`).
 */
export type Transition = { kind: 'moved'; to: TicketPosition } | { kind: 'repeated' } | { kind: 'illegal' };

const repeated: Transition = { kind: 'repeated' };
const illegal: Transition = { kind: 'illegal' };

/**
 * open -> cooking -> cooked, where a crew may bump a ticket that it never marked as cooking; a recall takes a cooked ticket back to open,
 * in the next round.
 */
export function nextPosition(ticket: TicketPosition, type: KitchenEventType, round: number): Transition {
  if (round < ticket.round) return repeated;
  if (round > ticket.round) return illegal;
  switch (type) {
    case 'order.cooking':
      return ticket.state === 'open' ? { kind: 'moved', to: { state: 'cooking', round } } : repeated;
    case 'order.cooked':
      return ticket.state === 'cooked' ? repeated : { kind: 'moved', to: { state: 'cooked', round } };
    case 'order.recalled':
      return ticket.state === 'cooked' ? { kind: 'moved', to: { state: 'open', round: round + 1 } } : illegal;
  }
}
