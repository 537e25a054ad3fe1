import type { Transaction } from '../database/database.ts';
import { keyOfText } from './key-text.ts';

/** What became of the dead letters of one order in one group. The audit reads it. */
export interface DeadLetterFate {
  group: string;
  key: string;
  /** Messages that are still parked. */
  parked: number;
  replayed: number;
  discarded: number;
  /** An operator has asked for a replay at some time, so effects may follow. */
  replayAsked: boolean;
}

/** The time on the database's clock, to compare with times that the database writes. */
export async function databaseTime(sql: Transaction): Promise<Date> {
  const [row] = await sql<{ now: Date }[]>`select clock_timestamp() as now`;
  if (row === undefined) throw new Error('a query of the time returned no row');
  return row.now;
}

/**
 * The fates at a given time. A letter that was settled later counts as parked, because an audit that read the topics before could not see
 * its effects.
 */
export async function deadLetterFates(sql: Transaction, at: Date): Promise<DeadLetterFate[]> {
  const rows = await sql<DeadLetterFate[]>`
    select d.consumer_group as "group", d.key,
      (count(*) filter (where d.state = 'parked' or d.settled_at > ${at}))::integer as parked,
      (count(*) filter (where d.state = 'replayed' and d.settled_at <= ${at}))::integer as replayed,
      (count(*) filter (where d.state = 'discarded' and d.settled_at <= ${at}))::integer as discarded,
      bool_or(exists (
        select 1 from dead_letter_trace t
        where t.consumer_group = d.consumer_group and t.topic = d.topic and t.partition = d.partition
          and t.log = d.log and t.record_offset = d.record_offset and t.event in ('replay', 'replayed')
      )) as "replayAsked"
    from dead_letters d group by d.consumer_group, d.key`;
  return rows.map((row) => ({ ...row, key: keyOfText(row.key) }));
}
