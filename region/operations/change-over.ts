import { setTimeout as delay } from 'node:timers/promises';
import { groups } from '../../contracts/topics.ts';
import { createRegionAdmin } from '../../kafka/index.ts';
import {
  connectDatabase,
  type Database,
  knownUntil,
  PROMOTE_S_MAX,
  promote,
  standbyLagBytes,
  standbyStatus,
} from '../../store/index.ts';
import { endsOf, topicRanges } from '../divergence.ts';
import { readMirrored } from '../mirror-offsets.ts';
import { type RegionState, readRegion } from '../region-state.ts';
import type { RegionAddresses } from '../regions.ts';
import { replicationHealth } from '../replication-health.ts';
import { closeGaps, type Rewinds } from '../start-positions.ts';
import { Epochs } from './epochs.ts';
import { type Flip, flipAndProbe } from './finish.ts';
import { type Restored, restoreFromLog } from './restore.ts';
import { restoreLetters } from './restore-letters.ts';
import { Steps } from './steps.ts';
import { QUESTION_MS_MAX, within } from './within.ts';

/** What a failover needs: `failover` fills it in. The function `changeOver` below is the sequence of steps. */
export interface ChangeOver extends Flip {
  from: RegionAddresses;
  /** The newest state that either region knows. */
  state: RegionState;
  /** Whether the old region answers. */
  alive: boolean;
  /** Longest wait for the old workers to stop and for the mirror to be up to date, in milliseconds. */
  waitMs: number;
  /** Goes on although the mirror is behind after that time. */
  acceptLoss: boolean;
  /** Goes on with a database that was no standby. */
  databaseAsItIs: boolean;
  scanMs: number;
}

export interface ChangeOverReport {
  from: string;
  to: string;
  epoch: number;
  /** Records of the old region that the new region lacks. `null` when unknown: the old region is dead, or this command resumed one that was cut short. */
  rpoRecords: number | null;
  /** Whether the old region answered. */
  alive: boolean;
  /** From the command to probe orders that were worked off. */
  rtoMs: number;
  restored: Restored;
  rewinds: Rewinds;
  probe: Awaited<ReturnType<typeof flipAndProbe>>;
  stepsMs: Record<string, number>;
}

const POLL_MS = 250;
const MIRROR_STOP_MS_MAX = 20_000;
/** Longer than PostgreSQL itself waits for a promotion. */
const PROMOTE_MS_MAX = PROMOTE_S_MAX * 1_000 + QUESTION_MS_MAX;
const allGroups = Object.values(groups);

/** What the steps of one command share. */
interface Tools {
  epochs: Epochs;
  steps: Steps;
  /** The database of the region that takes over. */
  sql: Database;
}

/** Moves the mesh from one region to the other. Every step may be done again, so a command that was cut short is started once more. */
export async function changeOver(options: ChangeOver): Promise<ChangeOverReport> {
  const { from, to, alive, state, say } = options;
  const startedAt = performance.now();
  const steps = new Steps(say);
  const epochs = new Epochs({ to, from: alive ? from : undefined, state, say });
  const sql = connectDatabase({ server: to.database, connections: 2, application: 'ordermesh-region' });
  const tools = { epochs, steps, sql };
  try {
    const { isStandby } = await within(QUESTION_MS_MAX, postgresOf(to), standbyStatus(sql));
    const isResumed = state.next === to.name && state.source === undefined;
    // Such a database lacks what no log holds: menus, deliveries, acts on dead letters.
    if (!isStandby && !isResumed && !options.databaseAsItIs)
      throw new Error(
        `the database of ${to.name} follows no other one: make it a standby of ${from.name}'s first (docs/operations/failover.md), or take it as it is with --database-as-it-is`,
      );
    let rpoRecords: number | null = null;
    if (alive && !isResumed) {
      // Up to here everything can be undone.
      rpoRecords = await leaveActive(options, tools, isStandby).catch(async (error: Error) => {
        const outcome = await epochs.takeBack({ active: from.name, source: from.name, ...startsOf(state) });
        throw new Error(`${error.message}; ${outcome}`, { cause: error });
      });
    }
    const { restored, rewinds } = await takeOver(options, tools, isResumed).catch((error: Error) => {
      const { active } = epochs.state;
      throw new Error(
        active === undefined ? `${error.message}; no region is active: start the command again` : error.message,
        { cause: error },
      );
    });
    const probe = await flipAndProbe(options, { epochs, steps });
    const rtoMs = Math.round(performance.now() - startedAt);
    const { epoch } = epochs.state;
    const stepsMs = steps.tookMs;
    return { from: from.name, to: to.name, epoch, rpoRecords, alive, rtoMs, restored, rewinds, probe, stepsMs };
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Stops the work of the old region, and waits until the new one has what the old one had. @returns how many records are left behind */
async function leaveActive(options: ChangeOver, { epochs, steps }: Tools, isStandby: boolean): Promise<number> {
  const { from, to, state, waitMs, acceptLoss } = options;
  await steps.do(`${from.name} is fenced: its gateway refuses, its workers have stopped`, async () => {
    await epochs.enterBoth({ source: from.name, next: to.name, ...startsOf(state) });
    await workersGone(from, waitMs);
  });
  const missing = await steps.do(`the mirror has caught up`, () => caughtUp(options, isStandby));
  if (missing > 0 && !acceptLoss)
    throw new Error(
      `after ${waitMs / 1_000} s ${missing} records of ${from.name} are not in ${to.name} yet. Wait longer with --wait, or leave them behind with --accept-loss`,
    );
  return missing;
}

/** From the first epoch in which no region is active until the new region is active. There is no way back from here. */
async function takeOver(
  { to, state, scanMs, say }: ChangeOver,
  { epochs, steps, sql }: Tools,
  isResumed: boolean,
): Promise<{ restored: Restored; rewinds: Rewinds }> {
  const { cluster } = to;
  // A resumed command keeps the time of the first attempt: records that were restored since then do not prove that all earlier ones were.
  const known = isResumed ? state.databaseAtMs : undefined;
  const databaseAtMs = known ?? (await within(PROMOTE_MS_MAX, postgresOf(to), knownUntil(sql)));
  await epochs.enter({ next: to.name, databaseAtMs, ...startsOf(state) });
  await steps.do(`the mirror has stopped, the database of ${to.name} takes writes`, () =>
    Promise.all([within(PROMOTE_MS_MAX, postgresOf(to), promote(sql)), mirrorStopped(to, epochs.state.epoch, say)]),
  );
  const restored = await steps.do('the database is up to the log', () => restoreFromLog(cluster, sql, databaseAtMs));
  const letters = await steps.do('dead letters are up to the log', () => restoreLetters(cluster, sql, databaseAtMs));
  if (letters > 0) say(`${letters} dead letters that only the log had`);
  const rewinds = await steps.do('groups start where nothing is skipped', () =>
    closeGaps({ cluster, scanMs, databaseAtMs }),
  );
  const starts = endsOf(await topicRanges(cluster));
  await steps.do(`${to.name} is active`, () =>
    epochs.enter({
      active: to.name,
      source: to.name,
      tenure: epochs.state.epoch + 1,
      starts,
      unfinished: true,
    }),
  );
  return { restored, rewinds };
}

function startsOf({ starts }: RegionState): Pick<RegionState, 'starts'> {
  return starts === undefined ? {} : { starts };
}

function postgresOf({ name }: RegionAddresses): string {
  return `PostgreSQL of ${name}`;
}

/** Waits until no group of the old region has a member any more. A member that goes on after that is refused: its epoch is old. */
async function workersGone({ name, cluster }: RegionAddresses, msMax: number): Promise<void> {
  const admin = createRegionAdmin({ clientId: 'ordermesh-region', cluster });
  try {
    const deadline = performance.now() + msMax;
    for (;;) {
      const counts = await within(QUESTION_MS_MAX, `Kafka of ${name}`, admin.memberCounts(allGroups));
      const members = [...counts].filter(([, count]) => count > 0);
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
  const source = connectDatabase({ server: from.database, connections: 1, application: 'ordermesh-region' });
  const ask = <T>(who: string, answer: Promise<T>) => within(QUESTION_MS_MAX, who, answer);
  try {
    let last = Number.NaN;
    for (;;) {
      const mirrored = await ask(`Kafka of ${to.name}`, readMirrored(to.cluster, from.name));
      const ranges = await ask(`Kafka of ${from.name}`, topicRanges(from.cluster));
      const lag = replicationHealth({ mirrored, source: ranges }).reduce((sum, each) => sum + each.lag, 0);
      const behind = isStandby ? await ask(postgresOf(from), standbyLagBytes(source)) : 0;
      const bytes = behind ?? Number.POSITIVE_INFINITY;
      const total = ranges.reduce((sum, { latest }) => sum + latest, 0);
      // The same total twice: no process writes any more.
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

async function mirrorStopped(to: RegionAddresses, epoch: number, say: (line: string) => void): Promise<void> {
  const deadline = performance.now() + MIRROR_STOP_MS_MAX;
  for (;;) {
    const { records } = await within(QUESTION_MS_MAX, `Kafka of ${to.name}`, readRegion(to.cluster));
    if ((records.mirrorStopped?.epoch ?? 0) >= epoch) return;
    if (performance.now() > deadline) {
      say(`the mirror of ${to.name} does not say that it has stopped; make sure that no MirrorMaker runs there`);
      return;
    }
    await delay(POLL_MS);
  }
}
