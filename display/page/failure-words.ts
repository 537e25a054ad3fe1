import type { Command } from '../messages.ts';
import { shortNumber } from './age.ts';

const undone: Record<Command['type'], string> = { start: 'not started', bump: 'not bumped', recall: 'not taken back' };
const done: Record<Command['type'], string> = { start: 'started', bump: 'bumped', recall: 'taken back' };

/** What the crew reads when a command did not succeed, or when that is not known: "not bumped" is said only when it is known. */
export function failureWords(
  type: Command['type'],
  orderId: string,
  { message, isUnknown }: { message: string; isUnknown: boolean },
): string {
  const outcome = isUnknown ? `not known to be ${done[type]}` : undone[type];
  return `Ticket ${shortNumber(orderId)} ${outcome}. ${message}.`.replace('..', '.');
}
