// Reads and writes parked keys. Called by the runtime, for the partitions that it owns.

import { type Database, inTransaction } from '../database/database.ts';
import { fencedPartitions, type Subscription } from '../partitions/epochs.ts';
import { keyOfText, keyToText } from './key-text.ts';

/** A parked key, with the failure of its first message that was parked. */
/** Why a key is parked, and from which offset on. */
export interface Parking {
  firstOffset: number;
  /** The log of `firstOffset`, by its number in `partition_logs`; 0 when absent. In another log, all messages of the key are parked. */
  log?: number;
  reason: string;
  error: string;
  attempts: number;
  /** Milliseconds since 1970. */
  firstFailedAt: number;
  /** The effects of the first message are committed; a later step failed. */
  applied: boolean;
}

export interface ParkedKey extends Parking {
  partition: number;
  key: string;
}

/** A key with replayed or discarded messages, which must not be worked on when they are delivered again. */
export interface SettledKey {
  partition: number;
  key: string;
  /** Offset of the newest of them in the log that is worked on; -1 if there is none in this log. */
  settledOffset: number;
  /** Messages of other logs, by identity: a mirror may deliver them again. */
  elsewhere?: string[];
}

export interface LoadedKeys {
  parked: ParkedKey[];
  settled: SettledKey[];
}

/**
 * How long rows of released keys are kept. That is far longer than a finished message can wait for the commit of its offset; after the
 * commit it is never delivered again.
 */
export const RELEASED_KEPT = '7 days';

/** Where the owner of a partition begins to work. */
export interface WorkPlace {
  partition: number;
  /** 0 when absent. */
  log?: number;
  /** All messages below it are finished and committed, so they are not delivered again; 0 when absent. */
  position?: number;
}

/**
 * What the owner of these partitions must know about their keys. Called after the epoch was claimed. Released keys are included only if
 * some of their messages may be delivered again.
 */
export async function loadParkedKeys(
  database: Database,
  { group, topic }: Subscription,
  places: readonly (number | WorkPlace)[],
): Promise<LoadedKeys> {
  const wanted = JSON.stringify(
    places.map((place) => ({ log: 0, position: 0, ...(typeof place === 'number' ? { partition: place } : place) })),
  );
  const rows = await database<
    {
      partition: number;
      key: string;
      first_offset: string;
      reason: string;
      error: string;
      attempts: number;
      first_failed_at: Date;
      applied: boolean;
      log: number;
      settled_offset: string | null;
      released: boolean;
      elsewhere: string[] | null;
    }[]
  >`
    select * from (
      select p.partition, p.key, p.first_offset, p.reason, p.error, p.attempts, p.first_failed_at, p.applied, p.log,
        case when p.settled_log = w.log and p.settled_offset >= w.position then p.settled_offset end as settled_offset,
        p.released_at is not null as released,
        (
          select array_agg(d.identity) from dead_letters d
          where d.consumer_group = p.consumer_group and d.topic = p.topic and d.partition = p.partition and d.key = p.key
            and d.state <> 'parked' and d.identity is not null and not (d.log = w.log and p.settled_log = w.log)
            and d.settled_at > now() - ${RELEASED_KEPT}::interval
        ) as elsewhere
      from parked_keys p
      join json_to_recordset(${wanted}::text::json) as w(partition integer, log integer, position bigint) using (partition)
      where p.consumer_group = ${group} and p.topic = ${topic}
        and (p.released_at is null or p.released_at > now() - ${RELEASED_KEPT}::interval)
    ) as keys
    where not released or settled_offset is not null or elsewhere is not null`;
  return {
    parked: rows
      .filter(({ released }) => !released)
      .map((row) => ({
        partition: row.partition,
        key: keyOfText(row.key),
        firstOffset: Number(row.first_offset),
        log: row.log,
        reason: row.reason,
        error: row.error,
        attempts: row.attempts,
        firstFailedAt: row.first_failed_at.getTime(),
        applied: row.applied,
      })),
    settled: rows
      .filter(({ settled_offset, elsewhere }) => settled_offset !== null || elsewhere !== null)
      .map((row) => ({
        partition: row.partition,
        key: keyOfText(row.key),
        settledOffset: Number(row.settled_offset ?? -1),
        ...(row.elsewhere === null ? {} : { elsewhere: row.elsewhere }),
      })),
  };
}

/**
 * Parks a key durably. The first of the four steps in runtime/slot/dead-letters/key-parking.ts. A key that is parked already stays as it
 * is; a released key is parked again.
 * @returns false when a newer epoch owns the partition, and nothing was written
 */
export async function parkKey(
  database: Database,
  subscription: Subscription,
  epoch: number,
  parked: ParkedKey,
): Promise<boolean> {
  return await inTransaction(database, async (transaction) => {
    const fenced = await fencedPartitions(transaction, subscription, new Map([[parked.partition, epoch]]));
    if (fenced.size > 0) return false;
    await transaction`
      insert into parked_keys as p
        (consumer_group, topic, partition, key, first_offset, log, reason, error, attempts, first_failed_at, applied)
      values (${subscription.group}, ${subscription.topic}, ${parked.partition}, ${keyToText(parked.key)},
        ${parked.firstOffset}, ${parked.log ?? 0}, ${parked.reason}, ${parked.error}, ${parked.attempts}, ${new Date(parked.firstFailedAt)},
        ${parked.applied})
      on conflict (consumer_group, topic, partition, key) do update
        set first_offset = excluded.first_offset, log = excluded.log, reason = excluded.reason, error = excluded.error,
          attempts = excluded.attempts, first_failed_at = excluded.first_failed_at, applied = excluded.applied, parked_at = now(),
          released_at = null, replay = null
        where p.released_at is not null`;
    return true;
  });
}
