import { type Database, inTransaction, type Transaction } from '../database/database.ts';
import { fencedPartitions, type Subscription } from '../partitions/epochs.ts';
import { keyOfText, keyToText } from './key-text.ts';
import { headersOfStore, headersToStore, type StoredHeaders } from './record-headers.ts';

/*
 * Dead letters: messages that were given up until an operator decides. A letter is a row of `dead_letters`, one per message. Its key is
 * a row of `parked_keys`, one per key. The runtime parks, replays and releases, under the fence of the partition's epoch; operators
 * ask for it (dead-letter-acts.ts). Each step also adds a line to `dead_letter_trace`.
 *
 * A letter:
 *
 *    recordDeadLetter              requestReplay (of its key)            settleReplayed
 *    ────────────────▶  parked  ─────────────────────────────▶ replaying ──────────────▶ replayed
 *                        │  ▲                                      │                        ▲
 *                        │  └──────────────────────────────────────┘                        │
 *                        │    stopReplay, or failReplayed of any                            │
 *                        │    letter of the key                                             │ settleReplayed, if its effects were
 *                        │                                                                  │ committed before it was discarded
 *                        └────────────────▶ discarded ──────────────────────────────────────┘
 *                    discardDeadLetters
 *
 * `replaying` is no value of the column `state`: the letter is parked, and its key has an act in `parked_keys.replay`. A letter whose key
 * is in a replay can't be discarded; the replay is stopped first. Rows of replayed and discarded letters are removed after a while
 * (dead-letter-retention.ts).
 *
 * A key:
 *
 *    parkKey              requestReplay, or a discard of its last letter               the owner finds no parked letter
 *    ───────▶  parked  ───────────────────────────────────────────────▶ parked, in a   ────────────────────────────────▶ released
 *               ▲  ▲                                                    replay                                              │
 *               │  └────────────────────────────────────────────────────────┘                                               │
 *               │                 stopReplay, failReplayed                                                                  │
 *               └───────────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *                                                 parkKey: a later message has failed
 *
 * Only the owner of the partition releases a key, also after a discard: it alone knows whether a message of the key is on its way to the
 * table. A released row stays for RELEASED_KEPT (parked-keys.ts), because Kafka may still deliver its settled messages again.
 */

/** A message as it was in its topic. */
export interface ParkedMessage {
  partition: number;
  offset: number;
  /** The log that the offset belongs to, by its number in `partition_logs`; 0 when absent. */
  log?: number;
  key: string;
  keyBytes: Buffer | null;
  value: Buffer | null;
  headers: Readonly<Record<string, Buffer>>;
  /** Milliseconds since 1970, the record's timestamp. */
  timestamp: number;
}

/** A message, and the failure that parked it. */
export interface NewDeadLetter extends ParkedMessage {
  /** Offset of the message that it is parked behind; null if the message failed itself. */
  behind: number | null;
  reason: string;
  error: string;
  /** 0 for a message that was never tried. */
  attempts: number;
  /** Milliseconds since 1970. */
  firstFailedAt: number;
  /** Its effects are committed; a later step failed. */
  applied: boolean;
  /** Names the record itself, so that its copy in another log can be recognised. */
  identity?: string;
}

/**
 * Records a message after the dead-letter topic has it and before its offset may be committed (runtime/slot/dead-letters/key-parking.ts
 * says why). A message that is recorded already stays as it is, also if a mirror has delivered it again in another log.
 * @returns false when a newer epoch owns the partition, and nothing was written.
 */
export async function recordDeadLetter(
  database: Database,
  subscription: Subscription,
  epoch: number,
  letter: NewDeadLetter,
): Promise<boolean> {
  const { group, topic } = subscription;
  const { log = 0, identity = null } = letter;
  return await inTransaction(database, async (sql) => {
    const fenced = await fencedPartitions(sql, subscription, new Map([[letter.partition, epoch]]));
    if (fenced.size > 0) return false;
    await sql`
      with recorded as (
        insert into dead_letters (consumer_group, topic, partition, log, record_offset, key, key_bytes, value, headers,
          written_at, behind, reason, error, attempts, first_failed_at, applied_at, identity)
        select ${group}, ${topic}, ${letter.partition}, ${log}, ${letter.offset}, ${keyToText(letter.key)}, ${letter.keyBytes}::bytea,
          ${letter.value}::bytea, ${JSON.stringify(headersToStore(letter.headers))}::text::json, ${new Date(letter.timestamp)}::timestamptz,
          ${letter.behind}::bigint, ${letter.reason}, ${letter.error}, ${letter.attempts}::integer,
          ${new Date(letter.firstFailedAt)}::timestamptz, case when ${letter.applied} then now() end, ${identity}::text
        where not exists (
          select 1 from dead_letters d
          where d.consumer_group = ${group} and d.topic = ${topic} and d.partition = ${letter.partition}
            and d.key = ${keyToText(letter.key)} and d.log <> ${log} and d.identity = ${identity}::text)
        on conflict do nothing
        returning *
      )
      insert into dead_letter_trace (consumer_group, topic, partition, log, record_offset, event, attempts, reason, error)
      select consumer_group, topic, partition, log, record_offset, 'parked', attempts, reason, error from recorded`;
    return true;
  });
}

export type DeadLetterState = 'parked' | 'replaying' | 'replayed' | 'discarded';

/** A dead letter and what became of it. */
export interface DeadLetter extends Omit<NewDeadLetter, 'applied' | 'identity' | 'log'>, Subscription {
  log: number;
  /** `replaying`: parked, and its key is in a replay. */
  state: DeadLetterState;
  parkedAt: Date;
  /** When its effects were committed; its outputs may be missing. */
  appliedAt: Date | null;
  settledAt: Date | null;
  editedValue: Buffer | null;
}

/** Selects dead letters. A member that is absent selects all. */
export interface DeadLetterFilter {
  group?: string;
  topic?: string;
  partition?: number;
  key?: string;
  offset?: number;
  reason?: string;
  /** Parked at or after, and before; milliseconds since 1970. */
  since?: number;
  until?: number;
  states?: readonly DeadLetterState[];
}

interface DeadLetterRow {
  consumer_group: string;
  topic: string;
  partition: number;
  log: number;
  record_offset: string;
  key: string;
  key_bytes: Buffer | null;
  value: Buffer | null;
  headers: StoredHeaders;
  written_at: Date;
  behind: string | null;
  reason: string;
  error: string;
  attempts: number;
  first_failed_at: Date;
  parked_at: Date;
  state: DeadLetterState;
  applied_at: Date | null;
  settled_at: Date | null;
  edited_value: Buffer | null;
}

const READ_ROWS = 500;

/** The dead letters that the filter selects, in the order in which they were parked. Read in batches, so there may be any number. */
export async function* readDeadLetters(
  sql: Database | Transaction,
  filter: DeadLetterFilter = {},
): AsyncGenerator<DeadLetter> {
  const states = filter.states === undefined ? null : [...filter.states];
  const cursor = sql<DeadLetterRow[]>`
    select * from (
      select d.consumer_group, d.topic, d.partition, d.log, d.seq, d.record_offset, d.key, d.key_bytes, d.value, d.headers, d.written_at,
        d.behind, d.reason, d.error, d.attempts, d.first_failed_at, d.parked_at, d.applied_at, d.settled_at, d.edited_value,
        case when d.state = 'parked' and p.replay is not null then 'replaying' else d.state end as state
      from dead_letters d left join parked_keys p using (consumer_group, topic, partition, key)
      where (${filter.group ?? null}::text is null or d.consumer_group = ${filter.group ?? null})
        and (${filter.topic ?? null}::text is null or d.topic = ${filter.topic ?? null})
        and (${filter.partition ?? null}::integer is null or d.partition = ${filter.partition ?? null})
        and (${filter.offset ?? null}::bigint is null or d.record_offset = ${filter.offset ?? null})
        and (${filter.key === undefined ? null : keyToText(filter.key)}::text is null
          or d.key = ${filter.key === undefined ? null : keyToText(filter.key)})
        and (${filter.reason ?? null}::text is null or d.reason = ${filter.reason ?? null})
        and (${timeOf(filter.since)}::timestamptz is null or d.parked_at >= ${timeOf(filter.since)})
        and (${timeOf(filter.until)}::timestamptz is null or d.parked_at < ${timeOf(filter.until)})
    ) as letters
    where ${states}::text[] is null or state = any(${states}::text[])
    order by seq`.cursor(READ_ROWS);
  for await (const rows of cursor) for (const row of rows) yield deadLetterOf(row);
}

function timeOf(ms: number | undefined): Date | null {
  return ms === undefined ? null : new Date(ms);
}

function deadLetterOf(row: DeadLetterRow): DeadLetter {
  return {
    group: row.consumer_group,
    topic: row.topic,
    partition: row.partition,
    log: row.log,
    offset: Number(row.record_offset),
    key: keyOfText(row.key),
    keyBytes: row.key_bytes,
    value: row.value,
    headers: headersOfStore(row.headers),
    timestamp: row.written_at.getTime(),
    behind: row.behind === null ? null : Number(row.behind),
    reason: row.reason,
    error: row.error,
    attempts: row.attempts,
    firstFailedAt: row.first_failed_at.getTime(),
    parkedAt: row.parked_at,
    state: row.state,
    appliedAt: row.applied_at,
    settledAt: row.settled_at,
    editedValue: row.edited_value,
  };
}

/** One event in the story of a dead letter. */
export interface TraceStep {
  at: Date;
  event: 'parked' | 'replay' | 'edited' | 'replayed' | 'failed' | 'discarded' | 'stopped';
  act: number | null;
  /** The operator; null for a step of the runtime. */
  operator: string | null;
  why: string | null;
  attempts: number | null;
  reason: string | null;
  error: string | null;
}

export async function traceOf(
  sql: Database,
  {
    group,
    topic,
    partition,
    offset,
    log = 0,
  }: Pick<DeadLetter, 'group' | 'topic' | 'partition' | 'offset'> & { log?: number },
): Promise<TraceStep[]> {
  const rows = await sql<(Omit<TraceStep, 'act'> & { act: string | null })[]>`
    select t.at, t.event, t.act, a.operator, a.why, t.attempts, t.reason, t.error
    from dead_letter_trace t left join dead_letter_acts a on a.id = t.act
    where t.consumer_group = ${group} and t.topic = ${topic} and t.partition = ${partition} and t.log = ${log}
      and t.record_offset = ${offset}
    order by t.id`;
  return rows.map((row) => ({ ...row, act: row.act === null ? null : Number(row.act) }));
}
