import { setTimeout as delay } from 'node:timers/promises';
import { groups, topics } from '../../contracts/topics.ts';
import { createRegionAdmin } from '../../kafka/region-admin.ts';
import { endsOf, topicRanges } from '../../region/divergence.ts';
import { flipName } from '../../region/dns/flip.ts';
import { readMirrored } from '../../region/mirror-offsets.ts';
import { type ProbeReport, probe } from '../../region/probe.ts';
import { type RegionRecords, type RegionState, readRegion, writeRegionState } from '../../region/region-state.ts';
import type { RegionAddresses, Regions } from '../../region/regions.ts';
import { replicationHealth } from '../../region/replication-health.ts';
import { closeGaps, type Rewinds } from '../../region/start-positions.ts';
import { connectDatabase, type Database } from '../../store/database.ts';
import { promote, standbyLagBytes, standbyStatus } from '../../store/standby.ts';
import { type Restored, restoreFromLog } from './restore.ts';
import { restoreLetters } from './restore-letters.ts';

export interface ChangeOver {
  regions: Regions;
  from: RegionAddresses;
  to: RegionAddresses;
  /** What `to` says now. */
  target: RegionRecords & { state: RegionState };
  /** Whether the old region answers. */
  alive: boolean;
  /** Longest wait for the old workers to stop and for the mirror to be up to date, in milliseconds. */
  waitMs: number;
  /** Goes on although the mirror is behind after that time. */
  acceptLoss: boolean;
  /** Goes on with a database that was no standby. */
  databaseAsItIs: boolean;
  scanMs: number;
  probeOrder: Readonly<Record<string, unknown>>;
  token: string | undefined;
  probeMs: number;
  say(line: string): void;
}

export interface ChangeOverReport {
  from: string;
  to: string;
  epoch: number;
  /** Records of the old region that the new one has not got; `null` where the old one is dead and nobody knows. */
  rpoRecords: number | null;
  /** From the command to probe orders that were worked off. */
  rtoMs: number;
  restored: Restored;
  rewinds: Rewinds;
  probe: ProbeReport;
  stepsMs: Record<string, number>;
}

const POLL_MS = 250;
const MIRROR_STOP_MS_MAX = 20_000;
const allGroups = Object.values(groups);

/** Moves the mesh from one region to the other. Every step may be done again, so a command that was cut short is started once more. */
export async function changeOver(options: ChangeOver): Promise<ChangeOverReport> {
  const { regions, from, to, alive, say } = options;
  const startedAt = performance.now();
  const stepsMs: Record<string, number> = {};
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    const result = await work();
    stepsMs[name] = Math.round(performance.now() - begun);
    say(`${name} (${stepsMs[name]} ms)`);
    return result;
  };
  let state = options.target.state;
  const enter = async (next: Omit<RegionState, 'epoch' | 'since' | 'tenure'> & { tenure?: number }) => {
    state = { tenure: state.tenure, ...next, epoch: state.epoch + 1, since: new Date().toISOString() };
    const written = state;
    await Promise.all([to, ...(alive ? [from] : [])].map(({ brokers }) => writeRegionState(brokers, written)));
  };
  const starts = state.starts === undefined ? {} : { starts: state.starts };
  const sql = connectDatabase({ url: to.databaseUrl, connections: 2, application: 'ordermesh-region' });
  try {
    const { isStandby } = await standbyStatus(sql);
    const isResumed = state.next === to.name && state.source === undefined;
    // It would miss what no log holds: menus, deliveries, what was done about dead letters.
    if (!isStandby && !isResumed && !options.databaseAsItIs)
      throw new Error(
        `the database of ${to.name} follows no other one: make it a standby of ${from.name}'s first (docs/operations/failover.md), or take it as it is with --database-as-it-is`,
      );
    const leaveActive = async () => {
      await step(`${from.name} is fenced: its gateway refuses, its workers have stopped`, async () => {
        await enter({ source: from.name, next: to.name, ...starts });
        await workersGone(from.brokers, options.waitMs);
      });
      const missing = await step(`the mirror has caught up`, () => caughtUp(options, isStandby));
      if (missing > 0 && !options.acceptLoss)
        throw new Error(
          `after ${options.waitMs / 1_000} s ${missing} records of ${from.name} are not in ${to.name} yet. Wait longer with --wait, or leave them behind with --accept-loss`,
        );
      return missing;
    };
    let rpoRecords: number | null = null;
    if (alive && !isResumed) {
      // Nothing has happened that could not be taken back.
      rpoRecords = await leaveActive().catch(async (error: Error) => {
        await enter({ active: from.name, source: from.name, ...starts });
        throw new Error(`${error.message}; ${from.name} is active again`, { cause: error });
      });
    }
    await enter({ next: to.name, ...starts });
    const [databaseAtMs] = await step(`the mirror has stopped, the database of ${to.name} takes writes`, () =>
      Promise.all([promoted(sql), mirrorStopped(to, state.epoch, say)]),
    );
    const restored = await step('the database is up to the log', () => restoreFromLog(to.brokers, sql, databaseAtMs));
    const letters = await step('dead letters are up to the log', () => restoreLetters(to.brokers, sql, databaseAtMs));
    if (letters > 0) say(`${letters} dead letters that only the log had`);
    const rewinds = await step('groups start where nothing is skipped', () =>
      closeGaps({ brokers: to.brokers, scanMs: options.scanMs, databaseAtMs }),
    );
    const ranges = await topicRanges(to.brokers);
    await step(`${to.name} is active`, () =>
      enter({ active: to.name, source: to.name, tenure: state.epoch + 1, starts: endsOf(ranges) }),
    );
    const { ttlSeconds, publicUrl } = regions;
    const name = publicUrl.hostname;
    await step(`${name} leads to ${to.address}`, () =>
      flipName(regions.dns, { name, address: to.address, ttlSeconds }),
    );
    const partitions = ranges.filter(({ topic }) => topic === topics.rawOrders).length;
    const { probeOrder: order, token, probeMs: msMax } = options;
    const probed = await step('probe orders are worked off', () =>
      probe({ regions, address: to.address, region: to.name, order, token, partitions, msMax }),
    );
    const rtoMs = Math.round(performance.now() - startedAt);
    return {
      from: from.name,
      to: to.name,
      epoch: state.epoch,
      rpoRecords,
      rtoMs,
      restored,
      rewinds,
      probe: probed,
      stepsMs,
    };
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Waits until no group of the old region has a member any more. A member that goes on after that is refused: its epoch is old. */
async function workersGone(brokers: string[], msMax: number): Promise<void> {
  const admin = createRegionAdmin({ clientId: 'ordermesh-region', brokers });
  try {
    const deadline = performance.now() + msMax;
    for (;;) {
      const members = [...(await admin.memberCounts(allGroups))].filter(([, count]) => count > 0);
      if (members.length === 0) return;
      if (performance.now() > deadline)
        throw new Error(
          `groups still have members: ${members.map(([group, count]) => `${group} ${count}`).join(', ')}`,
        );
      await delay(POLL_MS);
    }
  } finally {
    await admin.close();
  }
}

/** @returns how many records are missing: 0, or what is left after the time */
async function caughtUp({ from, to, waitMs, say }: ChangeOver, isStandby: boolean): Promise<number> {
  const deadline = performance.now() + waitMs;
  const source = connectDatabase({ url: from.databaseUrl, connections: 1, application: 'ordermesh-region' });
  try {
    let last = Number.NaN;
    for (;;) {
      const mirrored = await readMirrored(to.brokers, from.name);
      const ranges = await topicRanges(from.brokers);
      const lag = replicationHealth({ mirrored, source: ranges }).reduce((sum, each) => sum + each.lag, 0);
      const bytes = isStandby ? ((await standbyLagBytes(source)) ?? Number.POSITIVE_INFINITY) : 0;
      const total = ranges.reduce((sum, { latest }) => sum + latest, 0);
      // The same twice: nobody writes any more.
      if (lag === 0 && bytes === 0 && total === last) return 0;
      if (performance.now() > deadline) {
        if (bytes > 0) say(`the standby of ${to.name} is ${bytes} bytes behind`);
        return lag;
      }
      last = total;
      await delay(POLL_MS);
    }
  } finally {
    await source.end({ timeout: 1 });
  }
}

/** @returns up to when the database knows what happened, in milliseconds since the epoch */
async function promoted(sql: Database): Promise<number> {
  const { appliedAtMs } = await standbyStatus(sql);
  await promote(sql);
  return appliedAtMs ?? Date.now();
}

async function mirrorStopped(to: RegionAddresses, epoch: number, say: (line: string) => void): Promise<void> {
  const deadline = performance.now() + MIRROR_STOP_MS_MAX;
  for (;;) {
    const { records } = await readRegion(to.brokers);
    if ((records.mirrorStopped?.epoch ?? 0) >= epoch) return;
    if (performance.now() > deadline) {
      say(`the mirror of ${to.name} does not say that it has stopped; make sure that no MirrorMaker runs there`);
      return;
    }
    await delay(POLL_MS);
  }
}
