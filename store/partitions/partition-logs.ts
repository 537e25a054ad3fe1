// Remembers which logs a group has worked on, and what it skipped. Called by the runtime and the audit.

import { type Database, inTransaction, type Transaction } from '../database/database.ts';
import type { Subscription } from './epochs.ts';

/** A partition's log, as Kafka has it now. */
export interface SeenLog {
  partition: number;
  /** Id of the topic. A topic that is deleted and created again gets another id. */
  logId: string;
  clusterId: string;
  /** Offset of the oldest record that is still there. */
  earliest: number;
  /** Offset that the next record will get. */
  latest: number;
  /** The group's committed position; absent if there is none. */
  committed?: number;
}

/** A log that the group has worked on. */
export interface KnownLog {
  log: number;
  logId: string;
  clusterId: string;
  /** All messages below it are finished. */
  position: number;
  endOffset: number;
  ended: boolean;
  /** Milliseconds since 1970. */
  seenAt: number;
}

/**
 * How the log differs from the last one: the topic was created again, it lost records at its end, or it is the topic of the other region.
 */
export type LogChange = 'recreated' | 'shortened' | 'elsewhere';

/** `removed`: by retention or by an operator, before the group had read them. */
export type SkipReason = 'removed' | 'recreated' | 'shortened';

/** Records that the group has never worked on. */
export interface SkippedRange {
  partition: number;
  log: number;
  from: number;
  /** The offset after the last one. */
  to: number;
  reason: SkipReason;
}

export interface EnteredLog {
  partition: number;
  logId: string;
  log: number;
  /** Where work begins. */
  startAt: number;
  committed: number | undefined;
  change: LogChange | undefined;
  skipped: SkippedRange | undefined;
}

/**
 * Decides which log this is, and where to begin in it. Pure. A position of another log is not valid: in a topic that was created again or
 * lost its end, work begins at the oldest record, because repeating is harmless and skipping is not. In the log of the other region the
 * position was translated by the failover, so it is valid.
 */
export function decideLog(seen: SeenLog, known: readonly KnownLog[]): EnteredLog & { ends: number | undefined } {
  const { partition, logId, earliest, latest, committed } = seen;
  const last = known.toSorted((a, b) => b.seenAt - a.seenAt || b.log - a.log)[0];
  const same = known.findLast((log) => log.logId === logId && !log.ended);
  const next = Math.max(-1, ...known.map(({ log }) => log)) + 1;
  const range = (log: number, from: number, to: number, reason: SkipReason): SkippedRange | undefined =>
    from < to ? { partition, log, from, to, reason } : undefined;
  const entered = { partition, logId, committed, ends: undefined, skipped: undefined };
  if (same !== undefined) {
    const { position, endOffset, log } = same;
    if (latest < Math.max(position, endOffset, committed ?? 0)) {
      const skipped = range(log, Math.max(position, latest), endOffset, 'shortened');
      const translated =
        last !== undefined && last.clusterId !== same.clusterId && committed !== undefined && committed <= latest;
      const startAt = translated ? Math.max(committed, earliest) : earliest;
      return { ...entered, log: next, startAt, change: 'shortened', skipped, ends: log };
    }
    const startAt = Math.max(committed ?? position, earliest);
    const change = last !== undefined && last.clusterId !== same.clusterId ? 'elsewhere' : undefined;
    // All messages below the position are finished, also if the group was set back.
    return {
      ...entered,
      log,
      startAt,
      change,
      skipped: range(log, Math.max(position, committed ?? 0), earliest, 'removed'),
    };
  }
  if (last !== undefined && last.clusterId === seen.clusterId) {
    const skipped = range(last.log, last.position, last.endOffset, 'recreated');
    return { ...entered, log: next, startAt: earliest, change: 'recreated', skipped };
  }
  const change = last === undefined ? undefined : 'elsewhere';
  if (committed === undefined) return { ...entered, log: next, startAt: earliest, change };
  if (committed > latest) return { ...entered, log: next, startAt: earliest, change: change ?? 'shortened' };
  const skipped = range(next, committed, earliest, 'removed');
  return { ...entered, log: next, startAt: Math.max(committed, earliest), change, skipped };
}

/** The logs of these partitions that the group knows, oldest first. */
export async function knownLogs(
  sql: Database | Transaction,
  { group, topic }: Subscription,
  partitions: readonly number[],
): Promise<Map<number, KnownLog[]>> {
  const rows = await sql<
    {
      partition: number;
      log: number;
      log_id: string;
      cluster_id: string;
      position: string;
      end_offset: string;
      ended_at: Date | null;
      seen_at: Date;
    }[]
  >`
    select partition, log, log_id, cluster_id, position, end_offset, ended_at, seen_at from partition_logs
    where consumer_group = ${group} and topic = ${topic} and partition = any(${[...partitions]}::integer[])
    order by partition, log`;
  const byPartition = Map.groupBy(rows, ({ partition }) => partition);
  return new Map(
    [...byPartition].map(([partition, logs]) => [
      partition,
      logs.map((row) => ({
        log: row.log,
        logId: row.log_id,
        clusterId: row.cluster_id,
        position: Number(row.position),
        endOffset: Number(row.end_offset),
        ended: row.ended_at !== null,
        seenAt: row.seen_at.getTime(),
      })),
    ]),
  );
}

/** A topic that a group has worked on. */
export interface KnownTopic extends Subscription {
  /** How many records the group had not worked on when the owners of its partitions last looked. */
  unread: number;
}

/** Which groups have worked on these topics, by their newest logs. */
export async function knownTopics(sql: Database, topics: readonly string[]): Promise<KnownTopic[]> {
  return await sql<KnownTopic[]>`
    select consumer_group as "group", topic, sum(greatest(end_offset - position, 0))::float8 as unread from (
      select distinct on (consumer_group, topic, partition) * from partition_logs
      where topic = any(${[...topics]}) order by consumer_group, topic, partition, seen_at desc, log desc
    ) as newest group by consumer_group, topic order by topic, consumer_group`;
}

/** Decides for each partition and stores the decision, with skipped ranges, in one transaction. Called by the owner, after its claim. */
export async function enterLogs(
  database: Database,
  subscription: Subscription,
  seen: readonly SeenLog[],
): Promise<EnteredLog[]> {
  const { group, topic } = subscription;
  return await inTransaction(database, async (sql) => {
    const partitions = seen.map(({ partition }) => partition);
    const known = await knownLogs(sql, subscription, partitions);
    const entered: EnteredLog[] = [];
    for (const each of seen) {
      const { ends, ...decided } = decideLog(each, known.get(each.partition) ?? []);
      if (ends !== undefined)
        await sql`
          update partition_logs set ended_at = now()
          where consumer_group = ${group} and topic = ${topic} and partition = ${each.partition} and log = ${ends}`;
      await sql`
        insert into partition_logs as l
          (consumer_group, topic, partition, log, log_id, cluster_id, position, end_offset)
        values (${group}, ${topic}, ${each.partition}, ${decided.log}, ${each.logId}, ${each.clusterId}, ${decided.startAt}, ${each.latest})
        on conflict (consumer_group, topic, partition, log) do update
          set position = greatest(l.position, excluded.position), end_offset = greatest(l.end_offset, excluded.end_offset),
            seen_at = clock_timestamp()`;
      if (decided.skipped !== undefined) await noteSkipped(sql, subscription, decided.skipped);
      entered.push(decided);
    }
    return entered;
  });
}

/** Stores which records were removed before the group had read them. Storing a range again, even a longer one, is harmless. */
export async function noteSkipped(
  sql: Database | Transaction,
  { group, topic }: Subscription,
  { partition, log, from, to, reason }: SkippedRange,
): Promise<void> {
  await sql`
    insert into skipped_ranges as s (consumer_group, topic, partition, log, from_offset, to_offset, reason)
    values (${group}, ${topic}, ${partition}, ${log}, ${from}, ${to}, ${reason})
    on conflict (consumer_group, topic, partition, log, from_offset) do update
      set to_offset = greatest(s.to_offset, excluded.to_offset)`;
}

export interface LogProgress {
  partition: number;
  log: number;
  /** All messages below it are finished. */
  position: number;
  endOffset: number;
}

/** Stores how far the group has come, to be known when the topic is replaced. */
export async function noteProgress(
  database: Database,
  { group, topic }: Subscription,
  progress: readonly LogProgress[],
): Promise<void> {
  if (progress.length === 0) return;
  const rows = progress.map(({ partition, log, position, endOffset }) => ({
    partition,
    log,
    position,
    end_offset: endOffset,
  }));
  await database`
    update partition_logs l
    set position = greatest(l.position, n.position), end_offset = greatest(l.end_offset, n.end_offset), seen_at = clock_timestamp()
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as n(partition integer, log integer, position bigint, end_offset bigint)
    where l.consumer_group = ${group} and l.topic = ${topic} and l.partition = n.partition and l.log = n.log`;
}

export interface RecordedSkip extends SkippedRange, Subscription {
  noticedAt: Date;
}

export async function readSkipped(sql: Database): Promise<RecordedSkip[]> {
  const rows = await sql<(Omit<RecordedSkip, 'from' | 'to'> & { from: string; to: string })[]>`
    select consumer_group as "group", topic, partition, log, from_offset as "from", to_offset as "to", reason, noticed_at as "noticedAt"
    from skipped_ranges order by noticed_at, consumer_group, topic, partition, from_offset`;
  return rows.map((row) => ({ ...row, from: Number(row.from), to: Number(row.to) }));
}
