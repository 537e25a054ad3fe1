// Decides how an event of the kitchen moves a ticket. Called by the kitchen actor.

import type { TicketPosition } from '../../store/index.ts';

export type KitchenEventType = 'order.cooking' | 'order.cooked' | 'order.recalled';

/**
 * What an event does to a ticket: it moves the ticket; or nothing, because the ticket is past it already (a screen bumped twice, a
 * redelivery); or nothing, because it is not allowed in this state (`illegal`).
 */
export type Transition = { kind: 'moved'; to: TicketPosition } | { kind: 'repeated' } | { kind: 'illegal' };

const repeated: Transition = { kind: 'repeated' };
const illegal: Transition = { kind: 'illegal' };

/**
 * open -> cooking -> cooked. A crew may bump a ticket that was never marked as cooking. A recall takes a cooked ticket back to open, in the
 * next round.
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
