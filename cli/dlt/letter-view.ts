// Dead letters and their parts as they are printed. Used by most files of this folder.

import type { DeadLetter } from '../../store/index.ts';
import { storeOf } from './selection.ts';

/** A dead letter as `--json` prints it. */
export interface LetterView {
  group: string;
  key: string;
  store: string | null;
  state: string;
  reason: string;
  error: string;
  attempts: number;
  topic: string;
  partition: number;
  offset: number;
  /** Offset of the earlier message of its order that it is parked behind. */
  behind: number | null;
  firstFailedAt: string;
  parkedAt: string;
  /** When its effects were written, although its replay is not finished; null when they were not written. */
  appliedAt: string | null;
  settledAt: string | null;
}

export function letterView(letter: DeadLetter): LetterView {
  const { group, key, state, reason, error, attempts, topic, partition, offset, behind } = letter;
  return {
    group,
    key,
    store: storeOf(letter),
    state,
    reason,
    error,
    attempts,
    topic,
    partition,
    offset,
    behind,
    firstFailedAt: new Date(letter.firstFailedAt).toISOString(),
    parkedAt: letter.parkedAt.toISOString(),
    appliedAt: letter.appliedAt?.toISOString() ?? null,
    settledAt: letter.settledAt?.toISOString() ?? null,
  };
}

/** Where the message is in its topic. */
export function placeOf({ topic, partition, offset }: Pick<DeadLetter, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}[${partition}]@${offset}`;
}

/** The value for a person: JSON with its lines, other text as it is, and bytes that are no text in hexadecimal. */
export function readable(value: Buffer | null): string {
  if (value === null) return '(no value)';
  const text = value.toString();
  if (!Buffer.from(text).equals(value)) return `(${value.length} bytes, no text) ${value.toString('hex')}`;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // A control character in a message must not drive the terminal.
    return `(no JSON) ${JSON.stringify(text)}`;
  }
}

export function oneLine(text: string, length: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced, so that no message drives the terminal
  const line = text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ');
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}
