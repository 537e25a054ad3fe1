// Removes old dead letters.

import type { Database } from '../database/database.ts';
import type { Subscription } from '../partitions/epochs.ts';
import { RELEASED_KEPT } from './parked-keys.ts';

/** At most this many rows per transaction, so that other transactions don't wait long for a lock. */
const ROWS_MAX = 1_000;

/**
 * Removes dead letters that were replayed or discarded more than `keptMs` ago, with their trace, and acts without any letter left. Parked
 * letters stay, and so do all letters of a parked key. The main thread of a worker calls it every hour.
 * @returns how many dead letters were removed
 */
export async function pruneDeadLetters(
  database: Database,
  { group, topic }: Subscription,
  keptMs: number,
): Promise<number> {
  const keptSeconds = keptMs / 1_000;
  let pruned = 0;
  for (let deleted = ROWS_MAX; deleted === ROWS_MAX; pruned += deleted) {
    const { count } = await database`
      with old as (
        select d.consumer_group, d.topic, d.partition, d.log, d.record_offset from dead_letters d
        where d.consumer_group = ${group} and d.topic = ${topic} and d.state <> 'parked'
          and d.settled_at < now() - make_interval(secs => ${keptSeconds})
          and not exists (
            select 1 from parked_keys p
            where p.consumer_group = d.consumer_group and p.topic = d.topic and p.partition = d.partition and p.key = d.key
              and p.released_at is null)
        limit ${ROWS_MAX} for update of d skip locked
      ), story as (
        delete from dead_letter_trace t using old
        where t.consumer_group = old.consumer_group and t.topic = old.topic and t.partition = old.partition
          and t.log = old.log and t.record_offset = old.record_offset
      )
      delete from dead_letters d using old
      where d.consumer_group = old.consumer_group and d.topic = old.topic and d.partition = old.partition
        and d.log = old.log and d.record_offset = old.record_offset`;
    deleted = count;
  }
  await database`
    delete from dead_letter_acts a
    where a.at < now() - make_interval(secs => ${keptSeconds})
      and not exists (select 1 from dead_letter_trace t where t.act = a.id)
      and not exists (select 1 from parked_keys p where p.replay = a.id)`;
  await database`
    delete from parked_keys
    where consumer_group = ${group} and topic = ${topic} and released_at < now() - ${RELEASED_KEPT}::interval`;
  return pruned;
}
