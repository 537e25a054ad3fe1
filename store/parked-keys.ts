import type { Database } from './database.ts';
import { fencedPartitions, type Subscription } from './epochs.ts';
import { keyOfText, keyToText } from './key-text.ts';

/** Why a key is parked: the failure of its first message that went to the dead-letter topic. */
export interface ParkedKey {
  partition: number;
  key: string;
  firstOffset: number;
  reason: string;
  error: string;
  attempts: number;
  /** Milliseconds since the epoch. */
  firstFailedAt: number;
  /** The effects of that message are written: what failed came after. */
  applied: boolean;
}

/** Messages of a key that were replayed or discarded: one that is delivered again must not be worked on. */
export interface SettledKey {
  partition: number;
  key: string;
  /** Of the newest of them. */
  settledOffset: number;
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

/** What the owner of these partitions must know of their keys. Called after the epoch was claimed. */
export async function loadParkedKeys(
  database: Database,
  { group, topic }: Subscription,
  partitions: readonly number[],
): Promise<LoadedKeys> {
  const wanted = [...partitions];
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
      settled_offset: string | null;
      released: boolean;
    }[]
  >`
    select partition, key, first_offset, reason, error, attempts, first_failed_at, applied, settled_offset,
      released_at is not null as released
    from parked_keys
    where consumer_group = ${group} and topic = ${topic} and partition = any(${wanted}::integer[])
      and (released_at is null or released_at > now() - ${RELEASED_KEPT}::interval)`;
  return {
    parked: rows
      .filter(({ released }) => !released)
      .map((row) => ({
        partition: row.partition,
        key: keyOfText(row.key),
        firstOffset: Number(row.first_offset),
        reason: row.reason,
        error: row.error,
        attempts: row.attempts,
        firstFailedAt: row.first_failed_at.getTime(),
        applied: row.applied,
      })),
    settled: rows
      .filter(({ settled_offset }) => settled_offset !== null)
      .map((row) => ({
        partition: row.partition,
        key: keyOfText(row.key),
        settledOffset: Number(row.settled_offset),
      })),
  };
}

/**
 * Parks a key, durably, before its message is written to the dead-letter topic: after a crash in between, the message goes there again
 * and is not applied. A key that is already parked stays as it is; one that was released is parked anew.
 * @returns false when a newer epoch owns the partition, and nothing was written.
 */
export async function parkKey(
  database: Database,
  subscription: Subscription,
  epoch: number,
  parked: ParkedKey,
): Promise<boolean> {
  return await database.begin(async (transaction) => {
    const fenced = await fencedPartitions(transaction, subscription, new Map([[parked.partition, epoch]]));
    if (fenced.size > 0) return false;
    await transaction`
      insert into parked_keys as p
        (consumer_group, topic, partition, key, first_offset, reason, error, attempts, first_failed_at, applied)
      values (${subscription.group}, ${subscription.topic}, ${parked.partition}, ${keyToText(parked.key)},
        ${parked.firstOffset}, ${parked.reason}, ${parked.error}, ${parked.attempts}, ${new Date(parked.firstFailedAt)},
        ${parked.applied})
      on conflict (consumer_group, topic, partition, key) do update
        set first_offset = excluded.first_offset, reason = excluded.reason, error = excluded.error,
          attempts = excluded.attempts, first_failed_at = excluded.first_failed_at, applied = excluded.applied, parked_at = now(),
          released_at = null, replay = null
        where p.released_at is not null`;
    return true;
  });
}
