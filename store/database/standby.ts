// What a primary and its standbys say about replication, and the promotion of a standby. For failovers.

import type { Database } from './database.ts';

export interface StandbyStatus {
  /** Whether the server follows another one and takes no writes. */
  isStandby: boolean;
  /** Commit time of the newest transaction that the standby has applied, in milliseconds since 1970; absent for a primary. */
  appliedAtMs?: number;
  /** How many standbys stream from it now. */
  standbys: number;
}

export async function standbyStatus(sql: Database): Promise<StandbyStatus> {
  const [row] = await sql<{ isStandby: boolean; appliedAtMs: number | null; standbys: number }[]>`
    select pg_is_in_recovery() as "isStandby",
      (extract(epoch from pg_last_xact_replay_timestamp()) * 1000)::float8 as "appliedAtMs",
      (select count(*)::float8 from pg_stat_replication where state = 'streaming') as standbys`;
  const { isStandby = false, appliedAtMs = null, standbys = 0 } = row ?? {};
  return { isStandby, standbys, ...(appliedAtMs === null ? {} : { appliedAtMs }) };
}

/** The longest time between the decision of a turn and its commit. */
const TURN_MS_MAX = 60_000;

/**
 * The instant up to which a database has everything, in milliseconds since 1970. For a standby this is the commit time of the newest
 * transaction that it has applied. A server forgets this time when it restarts; then the instant is computed from the newest decision in
 * the database.
 * @returns 0 when the database has no decision
 */
export async function knownUntil(sql: Database): Promise<number> {
  const { appliedAtMs } = await standbyStatus(sql);
  if (appliedAtMs !== undefined) return appliedAtMs;
  const [row] = await sql<{ decidedAtMs: number | null }[]>`
    select (extract(epoch from max(decided_at)) * 1000)::float8 as "decidedAtMs" from orders`;
  return Math.max(0, (row?.decidedAtMs ?? 0) - TURN_MS_MAX);
}

export const PROMOTE_S_MAX = 60;

/**
 * Promotes a standby: from now on it takes writes. Does nothing to a primary.
 * @throws when it is not done within a minute
 */
export async function promote(sql: Database): Promise<void> {
  const [row] = await sql<{ done: boolean }[]>`
    select case when pg_is_in_recovery() then pg_promote(true, ${PROMOTE_S_MAX}) else true end as done`;
  if (row?.done !== true) throw new Error(`PostgreSQL was not promoted within ${PROMOTE_S_MAX} s; its log says why`);
}

/** By how many bytes the standbys are behind the primary's log; `undefined` without a standby. */
export async function standbyLagBytes(sql: Database): Promise<number | undefined> {
  const [row] = await sql<{ lag: number | null }[]>`
    select max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))::float8 as lag
    from pg_stat_replication where state = 'streaming'`;
  return row?.lag ?? undefined;
}
