// Sends the crew's commands, and shows on the card what became of them. Called by store-page.ts and chain-page.ts.

import type { Command, TicketView } from '../messages.ts';
import { ticketNumber } from './age.ts';
import type { CommandError, Connection } from './connection.ts';
import { failureWords } from './failure-words.ts';
import type { TicketCard } from './ticket-card.ts';
import { showError } from './toasts.ts';

/** Longest time that a card says "Bumping…" after the server has stored the bump. */
const CONFIRMED_MS_MAX = 10_000;

/**
 * Sends a command of the crew. The buttons of the card are disabled until the answer. The buttons of a bumped ticket are disabled until the kitchen
 * confirms the bump, for ten seconds at most.
 */
export function sendCommand(
  connection: Connection,
  type: Command['type'],
  ticket: TicketView,
  cardOf: (orderId: string) => TicketCard | undefined,
): void {
  const { orderId, round } = ticket;
  if (!connection.up) {
    showError('No connection: the ticket stays as it is.');
    return;
  }
  cardOf(orderId)?.setPending(type);
  connection.command(type, { orderId, round }).then(
    // The kitchen sends the changed ticket; until then the buttons of a bumped ticket stay disabled.
    () => {
      if (type !== 'bump') cardOf(orderId)?.setPending(undefined);
      else setTimeout(releaseBumped, CONFIRMED_MS_MAX);
    },
    (error: CommandError) => {
      cardOf(orderId)?.setPending(undefined);
      showError(failureWords(type, ticket, error));
    },
  );

  /** The bump is stored, but the kitchen has not confirmed it: the crew gets the buttons back. */
  function releaseBumped(): void {
    const card = cardOf(orderId);
    if (card === undefined || card.hasLeft || card.ticket.round !== round || !card.pending) return;
    card.setPending(undefined);
    showError(`Ticket ${ticketNumber(ticket)}: the bump is stored, but the kitchen service has not confirmed it yet.`);
  }
}
