import { deadLetterHeaders } from '../../../contracts/headers.ts';
import { deadLetterTopic } from '../../../contracts/topics.ts';
import type { OutgoingRecord } from '../../../kafka/index.ts';
import type { NewDeadLetter } from '../../../store/index.ts';
import type { Parking } from '../mailbox.ts';
import type { MessageEntry } from '../message-entry.ts';

/** Longer error texts are cut: a header must not make the record too large for the topic. */
const ERROR_LENGTH_MAX = 1_000;
const REASON_LENGTH_MAX = 100;

/**
 * The record that parks a message: its bytes and headers unchanged, and why it is here in `dlt-*` headers. Its key is the same,
 * so the dead letters of a key are as ordered as the key was. Parked behind an earlier message, it carries that message's failure.
 * A record without a key gets its place as key.
 * @param withValue false for one that the topic refuses as too large: its value stays where `dlt-topic`, `dlt-partition` and `dlt-offset` say, and in PostgreSQL
 */
export function deadLetterRecord(
  entry: MessageEntry,
  group: string,
  parking: Parking,
  withValue = true,
): OutgoingRecord {
  const names = deadLetterHeaders;
  return {
    topic: deadLetterTopic(entry.topic, group),
    key: entry.keyBytes ?? entry.key,
    value: withValue ? entry.value : null,
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

/** The message as the store keeps it for a replay. Parked behind an earlier message, it has made no attempts of its own. */
export function newDeadLetter(entry: MessageEntry, parking: Parking): NewDeadLetter {
  const { partition, offset, log, identity, key, keyBytes, value, headers, timestamp } = entry;
  const { firstOffset, reason, error, attempts, firstFailedAt, applied } = parking;
  const first = isFirst(entry, parking);
  return {
    partition,
    offset,
    log,
    identity,
    key,
    keyBytes,
    value,
    headers,
    timestamp,
    behind: first ? null : firstOffset,
    reason,
    error,
    attempts: first ? attempts : 0,
    firstFailedAt,
    applied: first && applied,
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
  return storable(typeof code === 'string' ? code : error.name, REASON_LENGTH_MAX);
}

function errorText(error: unknown): string {
  return storable(error instanceof Error ? error.message : String(error), ERROR_LENGTH_MAX);
}

/** What parks a message must never fail itself for the text of an error: PostgreSQL's text type takes no NUL, and UTF-8 no lone surrogate. */
function storable(text: string, lengthMax: number): string {
  const clean = text.replaceAll('\0', '').toWellFormed();
  return clean.length <= lengthMax ? clean : `${clean.slice(0, lengthMax).toWellFormed()}…`;
}
