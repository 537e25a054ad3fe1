// The age of a ticket as a level and as text, and the number of a ticket. Used wherever the page shows tickets.

import type { PageSettings, TicketView } from '../messages.ts';

/** How urgent a ticket is. Each level differs in colour, in lightness, in pattern and in words. */
export type AgeLevel = 'fresh' | 'due' | 'late';

export const ageWords: Record<AgeLevel, string> = { fresh: 'On time', due: 'Hurry', late: 'Late' };

export function ageLevel(elapsedMs: number, { dueAfterMs, lateAfterMs }: PageSettings): AgeLevel {
  if (elapsedMs >= lateAfterMs) return 'late';
  return elapsedMs >= dueAfterMs ? 'due' : 'fresh';
}

/** Minutes and seconds as a kitchen clock shows them; from an hour on hours and minutes. Never less than zero, even if clocks differ. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1_000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${twoDigits(seconds % 60)}`;
  const hours = Math.floor(minutes / 60);
  return hours < 100 ? `${hours}h ${twoDigits(minutes % 60)}` : `${Math.floor(hours / 24)}d`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** What a crew calls out: the number on the receipt, or the last four characters of the orderId. */
export function ticketNumber({ number, orderId }: Pick<TicketView, 'orderId'> & { number?: string }): string {
  return number ?? orderId.slice(-4).toUpperCase();
}
