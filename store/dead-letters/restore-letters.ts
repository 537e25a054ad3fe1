import type { Transaction } from '../database/database.ts';
import type { Subscription } from '../partitions/epochs.ts';
import type { NewDeadLetter } from './dead-letters.ts';
import { keyToText } from './key-text.ts';
import { headersToStore } from './record-headers.ts';

/**
 * Records dead letters that are in the dead-letter topic but not in this database, in the order in which they were parked, and parks their
 * keys. For a database that took over in a failover, while no worker runs. Letters that the database has already stay as they are.
 * @returns how many were missing
 */
export async function restoreDeadLetters(
  sql: Transaction,
  { group, topic }: Subscription,
  letters: readonly NewDeadLetter[],
): Promise<number> {
  let restored = 0;
  for (const letter of letters) {
    const { partition, offset, log = 0, identity = null } = letter;
    const key = keyToText(letter.key);
    const { count } = await sql`
      with recorded as (
        insert into dead_letters (consumer_group, topic, partition, log, record_offset, key, key_bytes, value, headers,
          written_at, behind, reason, error, attempts, first_failed_at, identity)
        select ${group}, ${topic}, ${partition}, ${log}, ${offset}, ${key}, ${letter.keyBytes}::bytea, ${letter.value}::bytea,
          ${JSON.stringify(headersToStore(letter.headers))}::text::json, ${new Date(letter.timestamp)}::timestamptz,
          ${letter.behind}::bigint, ${letter.reason}, ${letter.error}, ${letter.attempts}::integer,
          ${new Date(letter.firstFailedAt)}::timestamptz, ${identity}::text
        where not exists (
          select 1 from dead_letters d
          where d.consumer_group = ${group} and d.topic = ${topic} and d.partition = ${partition} and d.key = ${key}
            and d.identity = ${identity}::text)
        on conflict do nothing
        returning *
      )
      insert into dead_letter_trace (consumer_group, topic, partition, log, record_offset, event, attempts, reason, error)
      select consumer_group, topic, partition, log, record_offset, 'parked', attempts, reason, error from recorded`;
    if (count === 0) continue;
    restored++;
    await sql`
      insert into parked_keys as p
        (consumer_group, topic, partition, key, first_offset, log, reason, error, attempts, first_failed_at)
      values (${group}, ${topic}, ${partition}, ${key}, ${letter.behind ?? offset}, ${log}, ${letter.reason}, ${letter.error},
        ${letter.attempts}, ${new Date(letter.firstFailedAt)})
      on conflict (consumer_group, topic, partition, key) do update
        set first_offset = excluded.first_offset, log = excluded.log, reason = excluded.reason, error = excluded.error,
          attempts = excluded.attempts, first_failed_at = excluded.first_failed_at, parked_at = now(), released_at = null, replay = null
        where p.released_at is not null`;
  }
  return restored;
}
