import { deadLetterHeaders } from '../contracts/headers.ts';
import { deadLetterTopic } from '../contracts/topics.ts';
import type { OutgoingRecord } from '../kafka/producer.ts';
import type { Parking } from './mailbox.ts';
import type { MessageEntry } from './message-entry.ts';

/** Longer error texts are cut: a header must not make the record too large for the topic. */
const ERROR_LENGTH_MAX = 1_000;

/**
 * The record that parks a message: its bytes and headers unchanged, and why it is here in `dlt-*` headers. Its key is the same,
 * so the dead letters of a key are as ordered as the key was. Parked behind an earlier message, it carries that message's failure.
 * A record without a key gets its place as key.
 */
export function deadLetterRecord(entry: MessageEntry, group: string, parking: Parking): OutgoingRecord {
  const names = deadLetterHeaders;
  return {
    topic: deadLetterTopic(entry.topic, group),
    key: entry.keyBytes ?? entry.key,
    value: entry.value,
    headers: {
      ...entry.headers,
      [names.reason]: parking.reason,
      [names.error]: parking.error,
      [names.attempts]: String(parking.attempts),
      [names.topic]: entry.topic,
      [names.partition]: String(entry.partition),
      [names.offset]: String(entry.offset),
      [names.firstFailedAt]: new Date(parking.firstFailedAt).toISOString(),
      [names.log]: String(entry.log),
      [names.timestamp]: String(entry.timestamp),
      ...(isFirst(entry, parking) ? {} : { [names.behind]: String(parking.firstOffset) }),
    },
  };
}

/** The failure of a message as it is stored and sent. `reason` is the error's code or class: the few words to list dead letters by. */
export function parkingFor(entry: MessageEntry, error: unknown): Parking {
  const failure = entry.failure ?? { attempts: 1, firstFailedAt: entry.timestamp, applied: false };
  return { firstOffset: entry.offset, log: entry.log, reason: reasonOf(error), error: errorText(error), ...failure };
}

/** It is the message that the key is parked for, not one behind it. */
export function isFirst({ offset, log }: MessageEntry, parking: Parking): boolean {
  return offset === parking.firstOffset && log === (parking.log ?? 0);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}

function errorText(error: unknown): string {
  // PostgreSQL's text type takes no NUL.
  const text = (error instanceof Error ? error.message : String(error)).replaceAll('\0', '');
  return text.length <= ERROR_LENGTH_MAX ? text : `${text.slice(0, ERROR_LENGTH_MAX)}…`;
}
