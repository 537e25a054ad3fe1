// What operators do to dead letters: replay, stop, discard. Called by the commands in `cli/dlt/`.

import { type Database, inTransaction, type Transaction } from '../database/database.ts';
import type { Subscription } from '../partitions/epochs.ts';
import { keyOfText, keyToText } from './key-text.ts';

/** A parked key, by its place. */
export interface KeyPlace extends Subscription {
  partition: number;
  key: string;
}

/** A dead letter, by its place. */
export interface LetterPlace extends KeyPlace {
  offset: number;
  /** The log that the offset belongs to; 0 when absent. */
  log?: number;
}

export interface BusyKey extends KeyPlace {
  /** The act that replays the key. */
  act: number;
}

/** Who does something, why, and to what. */
export interface ActRequest {
  operator: string;
  why?: string;
  /** The order or the filter, as the operator gave it: plain JSON. */
  selection: Record<string, string | number | boolean>;
}

export interface ReplayRequest extends ActRequest {
  keys: readonly KeyPlace[];
  /** Messages per second over all workers; undefined: as fast as possible. */
  ratePerSecond?: number;
  /** Replaces the value of one message. */
  edit?: LetterPlace & { value: Buffer };
}

export interface ActOutcome {
  /** Undefined when there was nothing to do; then nothing was recorded. */
  act: number | undefined;
  keys: number;
  letters: number;
  /** Keys that are in a replay already; they were left alone. */
  busy: BusyKey[];
}

export interface DiscardRequest extends ActRequest {
  letters: readonly LetterPlace[];
  /** Also discard messages whose effects are committed. */
  applied?: boolean;
}

export interface DiscardOutcome extends ActOutcome {
  /** Number of messages that were left alone because their effects are committed. */
  applied: number;
}

/**
 * Asks for the replay of parked keys. The owner of each partition replays its keys, oldest message first, and releases them. One
 * transaction: all keys are requested and recorded, or none. Asking again for a key in a replay changes nothing.
 */
export async function requestReplay(database: Database, request: ReplayRequest): Promise<ActOutcome> {
  return await inTransaction(database, async (sql) => {
    const { free, busy } = await lockKeys(sql, request.keys);
    if (free.length === 0) return { act: undefined, keys: 0, letters: 0, busy };
    const act = await insertAct(sql, 'replay', request, request.ratePerSecond);
    const { edit } = request;
    if (edit !== undefined) await editLetter(sql, act, edit);
    await setReplay(sql, free, act);
    const letters = await traceParked(sql, free, act, 'replay');
    return { act, keys: free.length, letters, busy };
  });
}

/** Takes keys out of their replay. A message that is being worked on ends first. The remaining messages stay parked. */
export async function stopReplay(database: Database, request: ActRequest & { keys: readonly KeyPlace[] }) {
  return await inTransaction(database, async (sql): Promise<ActOutcome> => {
    const { busy } = await lockKeys(sql, request.keys);
    if (busy.length === 0) return { act: undefined, keys: 0, letters: 0, busy: [] };
    const act = await insertAct(sql, 'stop', request);
    await setReplay(sql, busy, null);
    const letters = await traceParked(sql, busy, act, 'stopped');
    return { act, keys: busy.length, letters, busy: [] };
  });
}

/**
 * Discards messages. They stay in the dead-letter topic and in the table, and are never worked on. A key with no parked message left is
 * released by its owner. Left alone are messages of a key in a replay, and messages whose effects are committed, unless `applied` is set:
 * of these only the outputs would be given up.
 */
export async function discardDeadLetters(database: Database, request: DiscardRequest): Promise<DiscardOutcome> {
  return await inTransaction(database, async (sql) => {
    const { free, busy } = await lockKeys(sql, request.letters);
    const isFree = new Set(free.map(nameOf));
    const letters = request.letters.filter((letter) => isFree.has(nameOf(letter)));
    const withApplied = request.applied === true;
    const [present] = await sql<{ given: number; applied: number }[]>`
      select (count(*) filter (where d.applied_at is null or ${withApplied}))::integer as given,
        (count(*) filter (where d.applied_at is not null and not ${withApplied}))::integer as applied
      from dead_letters d join ${wanted(sql, letters)} on ${sameKey(sql, 'd')} and d.log = w.log and d.record_offset = w.record_offset
      where d.state = 'parked'`;
    const { given = 0, applied = 0 } = present ?? {};
    if (given === 0) return { act: undefined, keys: 0, letters: 0, busy, applied };
    const act = await insertAct(sql, 'discard', request);
    const discarded = await sql`
      with discarded as (
        update dead_letters d set state = 'discarded', settled_at = now() from ${wanted(sql, letters)}
        where ${sameKey(sql, 'd')} and d.log = w.log and d.record_offset = w.record_offset and d.state = 'parked'
          and (d.applied_at is null or ${withApplied})
        returning d.*
      )
      insert into dead_letter_trace (consumer_group, topic, partition, log, record_offset, event, act)
      select consumer_group, topic, partition, log, record_offset, 'discarded', ${act} from discarded
      returning id`;
    // The owner of the partition releases a key with no parked message left, because it alone knows whether another one is on its way.
    await sql`
      update parked_keys p set
        replay = case when not exists (
          select 1 from dead_letters d where ${sameKey(sql, 'd')} and d.state = 'parked') then ${act}::bigint end,
        settled_log = done.log, settled_offset = done.settled
      from ${wanted(sql, free)}, lateral settled_of(w.consumer_group, w.topic, w.partition, w.key) as done
      where ${sameKey(sql, 'p')}`;
    return { act, keys: free.length, letters: discarded.length, busy, applied };
  });
}

/**
 * The parked keys, in two groups. The rows are locked in the order of their names, so that two operators don't wait for each other for
 * ever.
 */
async function lockKeys(sql: Transaction, keys: readonly KeyPlace[]): Promise<{ free: KeyPlace[]; busy: BusyKey[] }> {
  const rows = await sql<(KeyPlace & { replay: string | null })[]>`
    select p.consumer_group as "group", p.topic, p.partition, p.key, p.replay
    from parked_keys p
    where p.released_at is null and exists (select 1 from ${wanted(sql, keys)} where ${sameKey(sql, 'p')})
    order by p.consumer_group, p.topic, p.partition, p.key
    for update`;
  const found = rows.map(({ replay, key, ...place }) => ({ place: { ...place, key: keyOfText(key) }, replay }));
  return {
    free: found.flatMap(({ place, replay }) => (replay === null ? [place] : [])),
    busy: found.flatMap(({ place, replay }) => (replay === null ? [] : [{ ...place, act: Number(replay) }])),
  };
}

async function insertAct(
  sql: Transaction,
  act: 'replay' | 'discard' | 'stop',
  { operator, why, selection }: ActRequest,
  rate?: number,
): Promise<number> {
  const [row] = await sql<{ id: string }[]>`
    insert into dead_letter_acts (act, operator, why, selection, rate)
    values (${act}, ${operator}, ${why ?? null}, ${JSON.stringify(selection)}::text::json, ${rate ?? null}) returning id`;
  return Number(row?.id);
}

async function setReplay(sql: Transaction, keys: readonly KeyPlace[], act: number | null): Promise<void> {
  await sql`update parked_keys p set replay = ${act}::bigint from ${wanted(sql, keys)} where ${sameKey(sql, 'p')}`;
}

async function traceParked(
  sql: Transaction,
  keys: readonly KeyPlace[],
  act: number,
  event: 'replay' | 'stopped',
): Promise<number> {
  const rows = await sql`
    insert into dead_letter_trace (consumer_group, topic, partition, log, record_offset, event, act)
    select d.consumer_group, d.topic, d.partition, d.log, d.record_offset, ${event}, ${act}
    from dead_letters d join ${wanted(sql, keys)} on ${sameKey(sql, 'd')}
    where d.state = 'parked' order by d.consumer_group, d.topic, d.partition, d.key, d.seq
    returning id`;
  return rows.length;
}

async function editLetter(
  sql: Transaction,
  act: number,
  { group, topic, partition, offset, log = 0, value }: NonNullable<ReplayRequest['edit']>,
): Promise<void> {
  await sql`
    with edited as (
      update dead_letters set edited_value = ${value}
      where consumer_group = ${group} and topic = ${topic} and partition = ${partition} and log = ${log} and record_offset = ${offset}
        and state = 'parked'
      returning *
    )
    insert into dead_letter_trace (consumer_group, topic, partition, log, record_offset, event, act)
    select consumer_group, topic, partition, log, record_offset, 'edited', ${act} from edited`;
}

function nameOf({ group, topic, partition, key }: KeyPlace): string {
  return JSON.stringify([group, topic, partition, key]);
}

/** The places as a table named w: one parameter, however many places there are. */
function wanted(sql: Transaction, places: readonly (KeyPlace & { offset?: number; log?: number })[]) {
  const rows = places.map(({ group, topic, partition, key, offset, log }) => ({
    consumer_group: group,
    topic,
    partition,
    key: keyToText(key),
    log: log ?? 0,
    record_offset: offset ?? null,
  }));
  return sql`json_to_recordset(${JSON.stringify(rows)}::text::json)
    as w(consumer_group text, topic text, partition integer, key text, log integer, record_offset bigint)`;
}

function sameKey(sql: Transaction, table: 'd' | 'p') {
  const t = sql(table);
  return sql`(${t}.consumer_group = w.consumer_group and ${t}.topic = w.topic and ${t}.partition = w.partition and ${t}.key = w.key)`;
}
