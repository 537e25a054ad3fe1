import type { Database } from '../database/database.ts';
import { keyOfText } from './key-text.ts';

/** An act of an operator (replay, stop or discard), as it is recorded. `ordermesh dlt log` shows them. */
export interface RecordedAct {
  act: number;
  kind: 'replay' | 'discard' | 'stop';
  operator: string;
  at: Date;
  why: string | null;
  selection: Record<string, string | number | boolean>;
  ratePerSecond: number | null;
  /** Number of messages that the act was about when it was requested. */
  asked: number;
  /** Results of a replay. Followers that arrived meanwhile count as replayed too. */
  replayed: number;
  failed: number;
  /** Keys that the replay has not released yet. */
  keysLeft: number;
}

/** The acts, newest first, or one of them. */
export async function readActs(
  database: Database,
  { act, limit = 50 }: { act?: number; limit?: number } = {},
): Promise<RecordedAct[]> {
  const rows = await database<(Omit<RecordedAct, 'act'> & { id: string })[]>`
    select a.id, a.act as kind, a.operator, a.at, a.why, a.selection, a.rate as "ratePerSecond",
      t.asked::integer, t.replayed::integer, t.failed::integer,
      (select count(*) from parked_keys where replay = a.id)::integer as "keysLeft"
    from (
      select * from dead_letter_acts where ${act ?? null}::bigint is null or id = ${act ?? null} order by id desc limit ${limit}
    ) a
    cross join lateral (
      select count(*) filter (where event in ('replay', 'discarded', 'stopped')) as asked,
        count(*) filter (where event = 'replayed') as replayed, count(*) filter (where event = 'failed') as failed
      from dead_letter_trace where dead_letter_trace.act = a.id
    ) t
    order by a.id desc`;
  return rows.map(({ id, ...row }) => ({ act: Number(id), ...row }));
}

/** One message of an act, and what happened to it. */
export interface ActItem {
  group: string;
  topic: string;
  partition: number;
  offset: number;
  key: string;
  event: string;
  at: Date;
  error: string | null;
}

/** Everything that happened because of an act, in order. */
export async function readActItems(database: Database, act: number): Promise<ActItem[]> {
  const rows = await database<(Omit<ActItem, 'offset'> & { offset: string })[]>`
    select t.consumer_group as "group", t.topic, t.partition, t.record_offset as offset, d.key, t.event, t.at,
      case when t.reason is not null then t.reason || ': ' || t.error end as error
    from dead_letter_trace t join dead_letters d using (consumer_group, topic, partition, log, record_offset)
    where t.act = ${act} order by t.id`;
  return rows.map((row) => ({ ...row, offset: Number(row.offset), key: keyOfText(row.key) }));
}
