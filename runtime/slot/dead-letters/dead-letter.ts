import { deadLetterHeaders } from '../../../contracts/headers.ts';
import { deadLetterTopic } from '../../../contracts/topics.ts';
import type { OutgoingRecord } from '../../../kafka/index.ts';
import type { NewDeadLetter, Parking } from '../../../store/index.ts';
import type { MessageEntry } from '../message-entry.ts';

/*
 * Dead letters as a slot sees them. The states are rows in PostgreSQL; store/dead-letters/dead-letters.ts draws them with the operator's
 * part. `DeadLetterStore` (engine-ports.ts) has the methods on the arrows, except `park`, which is a port of its own.
 *
 *   letter    ──record──▶ parked ──next──▶ replaying ──settle──▶ replayed
 *                         │  ▲                │
 *                         │  └─────fail───────┘  out of retries again
 *                         └──an operator discards it──▶ discarded
 *
 *   key       ──park──▶ parked ──next or settle, and no letter of the key is left parked──▶ released
 *                         ▲                                                                    │
 *                         └───────────────park: a later message is out of retries──────────────┘
 *
 * key-parking.ts makes the steps to parked; key-replays.ts makes the steps of a replay.
 */

/** A longer error text is cut, so that the header does not make the record too large for the topic. */
const ERROR_LENGTH_MAX = 1_000;
const REASON_LENGTH_MAX = 100;

/**
 * The record for the dead-letter topic: the message's bytes and headers unchanged, and the failure in `dlt-*` headers. The key is the
 * same, so the topic keeps the order of a key. A message that is parked behind an earlier one carries the earlier message's failure. A
 * record without a key gets its partition and offset as key.
 * @param withValue false if the topic refused the whole record as too large. The value remains in the topic that the message came from
 *   (`dlt-topic`, `dlt-partition`, `dlt-offset`) and in PostgreSQL.
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

/** The failure of a message, as it is stored and sent. `reason` is the error's code or class; operators select letters by it. */
export function parkingFor(entry: MessageEntry, error: unknown): Parking {
  const failure = entry.failure ?? { attempts: 1, firstFailedAt: entry.timestamp, applied: false };
  return { firstOffset: entry.offset, log: entry.log, reason: reasonOf(error), error: errorText(error), ...failure };
}

/** Whether the key is parked because of this message; false for a message parked behind it. */
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

/** Error texts come from anywhere and must not make parking fail: PostgreSQL's text type refuses NUL, and UTF-8 has no lone surrogates. */
function storable(text: string, lengthMax: number): string {
  const clean = text.replaceAll('\0', '').toWellFormed();
  return clean.length <= lengthMax ? clean : `${clean.slice(0, lengthMax).toWellFormed()}…`;
}
