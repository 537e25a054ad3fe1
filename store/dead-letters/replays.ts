// The steps of a replay. Called by the slots of the runtime.

import { type Database, inTransaction, type Transaction } from '../database/database.ts';
import { fencedPartitions, type Subscription } from '../partitions/epochs.ts';
import type { ParkedMessage } from './dead-letters.ts';
import { keyOfText, keyToText } from './key-text.ts';
import type { ParkedKey } from './parked-keys.ts';
import { headersOfStore, type StoredHeaders } from './record-headers.ts';

/** A parked key in a partition that the caller owns by this epoch. */
export interface OwnedKey {
  partition: number;
  epoch: number;
  key: string;
  /** The log that the caller works on; 0 when absent. */
  log?: number;
}

/** Settled dead letters of other logs, by identity: a mirror may deliver them again. */
export interface SettledElsewhere {
  settledElsewhere?: string[];
}

/** The next step in the replay of a key. */
export type ReplayStep =
  | { kind: 'letter'; letter: ParkedMessage; act: number }
  /**
   * No letter is left: the key is not parked any more. Its messages up to the offset are settled; -1 if there are none in the caller's log.
   */
  | ({ kind: 'released'; settledOffset: number } & SettledElsewhere)
  /** More letters are left. Messages up to the offset are settled. */
  | ({ kind: 'more'; settledOffset: number } & SettledElsewhere)
  /** The key is not in a replay (any more). */
  | { kind: 'idle' }
  | { kind: 'fenced' };

/**
 * What became of a replayed message that failed. `parked`: it is parked again. `discarded`: an operator has discarded it meanwhile.
 * `fenced`: a newer epoch owns the partition.
 */
export type FailureStep = 'parked' | 'discarded' | 'fenced';

/** The keys of these partitions for which an operator has asked for a replay. */
export async function keysInReplay(
  database: Database,
  { group, topic }: Subscription,
  partitions: readonly number[],
): Promise<{ partition: number; key: string }[]> {
  const rows = await database<{ partition: number; key: string }[]>`
    select partition, key from parked_keys
    where consumer_group = ${group} and topic = ${topic} and partition = any(${[...partitions]}::integer[])
      and replay is not null
    order by parked_at`;
  return rows.map(({ partition, key }) => ({ partition, key: keyOfText(key) }));
}

/**
 * Reserves the next point in time in the pace of the key's replay. All workers share the pace.
 * @returns the wait until then, in milliseconds; 0 for a replay without a rate
 */
export async function paceReplay(
  database: Database,
  { group, topic }: Subscription,
  { partition, key }: Omit<OwnedKey, 'epoch'>,
): Promise<number> {
  const [row] = await database<{ wait_ms: number }[]>`
    update dead_letter_acts a
    set next_at = greatest(a.next_at, clock_timestamp()) + interval '1 second' / a.rate
    from parked_keys p
    where p.consumer_group = ${group} and p.topic = ${topic} and p.partition = ${partition} and p.key = ${keyToText(key)}
      and a.id = p.replay and a.rate is not null
    returning extract(epoch from a.next_at - interval '1 second' / a.rate - clock_timestamp())::float8 * 1000 as wait_ms`;
  return Math.max(0, row?.wait_ms ?? 0);
}

/**
 * The next message of a key in a replay: the oldest one that is still parked. If there is none, the key is released. The caller must have
 * the key to itself: no message of it may be on its way to the dead-letter topic (runtime/slot/dead-letters/key-replays.ts says why).
 */
export async function nextOfReplay(
  database: Database,
  subscription: Subscription,
  owned: OwnedKey,
): Promise<ReplayStep> {
  const step = await withOwnedKey<ReplayStep>(database, subscription, owned, async (sql, key) => {
    const [parked] = await sql<{ replay: string | null }[]>`
      select replay from parked_keys p where ${whereKey(sql, key)} and released_at is null for update`;
    if (parked === undefined) return { kind: 'released', ...(await settledIn(sql, key)) };
    if (parked.replay === null) return { kind: 'idle' };
    const [row] = await sql<
      {
        log: number;
        record_offset: string;
        key_bytes: Buffer | null;
        value: Buffer | null;
        headers: StoredHeaders;
        written_at: Date;
      }[]
    >`
      select log, record_offset, key_bytes, coalesce(edited_value, value) as value, headers, written_at
      from dead_letters p where ${whereKey(sql, key)} and state = 'parked' order by seq limit 1`;
    if (row === undefined) return await release(sql, key);
    const letter: ParkedMessage = {
      partition: owned.partition,
      key: owned.key,
      log: row.log,
      offset: Number(row.record_offset),
      keyBytes: row.key_bytes,
      value: row.value,
      headers: headersOfStore(row.headers),
      timestamp: row.written_at.getTime(),
    };
    return { kind: 'letter', letter, act: Number(parked.replay) };
  });
  return step ?? { kind: 'fenced' };
}

/** A message that a replay works on. */
export interface ReplayedLetter {
  partition: number;
  key: string;
  offset: number;
  log?: number;
}

/**
 * Called in the transaction of the effects, before the effects. It locks the keys, so that an operator who stops the replay or discards the
 * message waits for the end of this transaction. If the operator was faster, the message must have no effect.
 * @returns the messages that may have effects
 */
export async function applyReplayed<Letter extends ReplayedLetter>(
  sql: Transaction,
  { group, topic }: Subscription,
  letters: readonly Letter[],
): Promise<Letter[]> {
  const places = letters.map(({ partition, key, offset, log = 0 }) => ({
    partition,
    key: keyToText(key),
    log,
    record_offset: offset,
  }));
  const rows = await sql<{ partition: number; log: number; record_offset: string }[]>`
    with in_replay as (
      select p.partition, p.key, w.log, w.record_offset
      from parked_keys p
      join json_to_recordset(${JSON.stringify(places)}::text::json) as w(partition integer, key text, log integer, record_offset bigint)
        on p.partition = w.partition and p.key = w.key
      where p.consumer_group = ${group} and p.topic = ${topic} and p.released_at is null and p.replay is not null
      order by p.partition, p.key
      for share of p
    )
    update dead_letters d set applied_at = coalesce(d.applied_at, now())
    from in_replay r
    where d.consumer_group = ${group} and d.topic = ${topic} and d.partition = r.partition and d.key = r.key
      and d.log = r.log and d.record_offset = r.record_offset and d.state = 'parked'
    returning d.partition, d.log, d.record_offset`;
  const current = new Set(rows.map((row) => `${row.partition}:${row.log}:${row.record_offset}`));
  return letters.filter(({ partition, offset, log = 0 }) => current.has(`${partition}:${log}:${offset}`));
}

/**
 * A replayed message is done: its effects and outputs are durable. If it was the last one, the same transaction releases the key. A message
 * that was discarded meanwhile counts as replayed, because its effects have happened.
 */
export async function settleReplayed(
  database: Database,
  subscription: Subscription,
  owned: OwnedKey,
  offset: number,
  log = 0,
): Promise<ReplayStep> {
  const step = await withOwnedKey<ReplayStep>(database, subscription, owned, async (sql, key) => {
    const [parked] = await sql<{ replay: string | null }[]>`
      select replay from parked_keys p where ${whereKey(sql, key)} and released_at is null for update`;
    const act = parked?.replay ?? null;
    await sql`
      with settled as (
        update dead_letters p set state = 'replayed', settled_at = now()
        where ${whereKey(sql, key)} and log = ${log} and record_offset = ${offset} and state <> 'replayed'
        returning *
      )
      insert into dead_letter_trace (consumer_group, topic, partition, log, record_offset, event, act)
      select s.consumer_group, s.topic, s.partition, s.log, s.record_offset, 'replayed', coalesce(${act}::bigint, (
        select max(t.act) from dead_letter_trace t
        where t.consumer_group = s.consumer_group and t.topic = s.topic and t.partition = s.partition
          and t.log = s.log and t.record_offset = s.record_offset))
      from settled s`;
    if (parked === undefined) return { kind: 'released', ...(await settledIn(sql, key)) };
    const [left] = await sql`select 1 from dead_letters p where ${whereKey(sql, key)} and state = 'parked' limit 1`;
    if (left === undefined) return await release(sql, key);
    await settle(sql, key);
    return act === null ? { kind: 'idle' } : { kind: 'more', ...(await settledIn(sql, key)) };
  });
  return step ?? { kind: 'fenced' };
}

/**
 * A replayed message has failed again. It stays the oldest of its key, with its followers behind it, and the key's replay by this act ends.
 * If the same failure is reported again because the answer was lost, nothing changes: an operator may have asked for another replay
 * meanwhile.
 */
export async function failReplayed(
  database: Database,
  subscription: Subscription,
  epoch: number,
  failed: ParkedKey,
  act: number,
): Promise<FailureStep> {
  const owned = { partition: failed.partition, epoch, key: failed.key };
  const step = await withOwnedKey<FailureStep>(database, subscription, owned, async (sql, key) => {
    const { log = 0 } = failed;
    await sql`select 1 from parked_keys p where ${whereKey(sql, key)} for update`;
    const found = await sql`
      with failed as (
        update dead_letters p
        set attempts = attempts + ${failed.attempts}, reason = ${failed.reason}, error = ${failed.error}, behind = null
        where ${whereKey(sql, key)} and log = ${log} and record_offset = ${failed.firstOffset} and state = 'parked'
          and not exists (
            select 1 from dead_letter_trace t
            where t.consumer_group = p.consumer_group and t.topic = p.topic and t.partition = p.partition
              and t.log = p.log and t.record_offset = p.record_offset and t.act = ${act} and t.event = 'failed')
        returning *
      )
      insert into dead_letter_trace (consumer_group, topic, partition, log, record_offset, event, act, attempts, reason, error)
      select consumer_group, topic, partition, log, record_offset, 'failed', ${act},
        ${failed.attempts}, ${failed.reason}, ${failed.error} from failed
      returning id`;
    if (found.length === 0) {
      const [parked] = await sql`
        select 1 from dead_letters p
        where ${whereKey(sql, key)} and log = ${log} and record_offset = ${failed.firstOffset} and state = 'parked'`;
      return parked === undefined ? 'discarded' : 'parked';
    }
    await sql`
      update parked_keys p set replay = nullif(replay, ${act}), first_offset = ${failed.firstOffset}, log = ${log}, reason = ${failed.reason},
        error = ${failed.error}, attempts = ${failed.attempts}, first_failed_at = ${new Date(failed.firstFailedAt)},
        applied = ${failed.applied}
      where ${whereKey(sql, key)}`;
    return 'parked';
  });
  return step ?? 'fenced';
}

interface Key extends Subscription {
  partition: number;
  text: string;
  /** The log that the caller works on. */
  log: number;
}

/** @returns undefined when a newer epoch owns the partition, and nothing was written */
async function withOwnedKey<Step>(
  database: Database,
  subscription: Subscription,
  { partition, epoch, key, log = 0 }: OwnedKey,
  work: (sql: Transaction, key: Key) => Promise<Step>,
): Promise<Step | undefined> {
  const { step } = await inTransaction(database, async (sql): Promise<{ step?: Step }> => {
    const fenced = await fencedPartitions(sql, subscription, new Map([[partition, epoch]]));
    if (fenced.size > 0) return {};
    return { step: await work(sql, { ...subscription, partition, text: keyToText(key), log }) };
  });
  return step;
}

/** The condition for the rows of a key, in a table named p. */
function whereKey(sql: Transaction, { group, topic, partition, text }: Key) {
  return sql`p.consumer_group = ${group} and p.topic = ${topic} and p.partition = ${partition} and p.key = ${text}`;
}

/** Stores up to which offset the messages of a key are settled. */
async function settle(sql: Transaction, key: Key): Promise<void> {
  await sql`
    update parked_keys p set settled_log = done.log, settled_offset = done.settled
    from settled_of(${key.group}, ${key.topic}, ${key.partition}, ${key.text}) as done
    where ${whereKey(sql, key)}`;
}

/**
 * Up to which offset they are settled, in the log that the caller works on. Also the answer when the key was released and that answer was
 * lost: without it the caller would go on parking the key's messages.
 */
async function settledIn(sql: Transaction, key: Key): Promise<{ settledOffset: number } & SettledElsewhere> {
  const [row] = await sql<{ settled_offset: string | null; settled_log: number }[]>`
    select settled_offset, settled_log from parked_keys p where ${whereKey(sql, key)}`;
  const others = await sql<{ identity: string }[]>`
    select identity from dead_letters p
    where ${whereKey(sql, key)} and p.state <> 'parked' and p.identity is not null and p.log <> ${key.log}`;
  return {
    settledOffset: row?.settled_log === key.log ? Number(row.settled_offset ?? -1) : -1,
    ...(others.length === 0 ? {} : { settledElsewhere: others.map(({ identity }) => identity) }),
  };
}

async function release(sql: Transaction, key: Key): Promise<ReplayStep> {
  await settle(sql, key);
  await sql`
    update parked_keys p set replay = null, released_at = now(),
      settled_log = case when p.settled_offset is null then p.log else p.settled_log end,
      settled_offset = coalesce(p.settled_offset, p.first_offset - 1)
    where ${whereKey(sql, key)}`;
  return { kind: 'released', ...(await settledIn(sql, key)) };
}
