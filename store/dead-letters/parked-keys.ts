import { type Database, inTransaction } from '../database/database.ts';
import { fencedPartitions, type Subscription } from '../partitions/epochs.ts';
import { keyOfText, keyToText } from './key-text.ts';

/** Why a key is parked: the failure of its first message that went to the dead-letter topic. */
export interface ParkedKey {
  partition: number;
  key: string;
  firstOffset: number;
  /** The log that the offset speaks of, as `partition_logs` counts them; 0 when absent. */
  log?: number;
  reason: string;
  error: string;
  attempts: number;
  /** Milliseconds since 1970. */
  firstFailedAt: number;
  /** The effects of that message are written: what failed came after. */
  applied: boolean;
}

/** Messages of a key that were replayed or discarded: one that is delivered again must not be worked on. */
export interface SettledKey {
  partition: number;
  key: string;
  /** Of the newest of them, in the log that is worked on; -1 where that has none. */
  settledOffset: number;
  /** Those of other logs, by their identity: a mirror may deliver them again. */
  elsewhere?: string[];
}

export interface LoadedKeys {
  parked: ParkedKey[];
  settled: SettledKey[];
}

/**
 * Rows of released keys are kept for so long: far longer than a message that was finished can wait for its offset to be committed, after
 * which it is never delivered again.
 */
export const RELEASED_KEPT = '7 days';

/** Where the caller works on a partition. */
export interface WorkPlace {
  partition: number;
  /** 0 when absent. */
  log?: number;
  /** All before it is finished and committed, so nothing of it is delivered again; 0 when absent. */
  position?: number;
}

/**
 * What the owner of these partitions must know of their keys. Called after the epoch was claimed. Of the keys that were released only those
 * come that have messages which may be delivered again.
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
 * Parks a key, durably, before its message is written to the dead-letter topic: after a crash in between, the message goes there again
 * and is not applied. A key that is already parked stays as it is; one that was released is parked again.
 * @returns false when a newer epoch owns the partition, and nothing was written.
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
