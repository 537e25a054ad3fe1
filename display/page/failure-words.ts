import type { Command } from '../messages.ts';
import { ticketNumber } from './age.ts';

const undone: Record<Command['type'], string> = { start: 'not started', bump: 'not bumped', recall: 'not taken back' };
const done: Record<Command['type'], string> = { start: 'started', bump: 'bumped', recall: 'taken back' };

/** What the crew reads when a command has failed, or may have failed: "not bumped" only when the failure is certain. */
export function failureWords(
  type: Command['type'],
  ticket: Parameters<typeof ticketNumber>[0],
  { message, isUnknown }: { message: string; isUnknown: boolean },
): string {
  const outcome = isUnknown ? `not known to be ${done[type]}` : undone[type];
  return `Ticket ${ticketNumber(ticket)} ${outcome}. ${message}.`.replace('..', '.');
}
