import type { Database } from './database.ts';
import { fencedPartitions, type Subscription } from './epochs.ts';

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
}

export async function loadParkedKeys(
  database: Database,
  { group, topic }: Subscription,
  partitions: readonly number[],
): Promise<ParkedKey[]> {
  const rows = await database<
    {
      partition: number;
      key: string;
      first_offset: string;
      reason: string;
      error: string;
      attempts: number;
      first_failed_at: Date;
    }[]
  >`
    select partition, key, first_offset, reason, error, attempts, first_failed_at from parked_keys
    where consumer_group = ${group} and topic = ${topic} and partition = any(${[...partitions]}::integer[])`;
  return rows.map((row) => ({
    partition: row.partition,
    key: row.key,
    firstOffset: Number(row.first_offset),
    reason: row.reason,
    error: row.error,
    attempts: row.attempts,
    firstFailedAt: row.first_failed_at.getTime(),
  }));
}

/**
 * Parks a key, durably, before its message is written to the dead-letter topic: after a crash in between, the message goes there again
 * and is not applied. A key that is already parked stays as it is.
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
      insert into parked_keys
        (consumer_group, topic, partition, key, first_offset, reason, error, attempts, first_failed_at)
      values (${subscription.group}, ${subscription.topic}, ${parked.partition}, ${parked.key}, ${parked.firstOffset},
        ${parked.reason}, ${parked.error}, ${parked.attempts}, ${new Date(parked.firstFailedAt)})
      on conflict do nothing`;
    return true;
  });
}
