import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { allTopics } from '../../contracts/topics.ts';
import { createRegionAdmin, type RegionAdmin } from '../../kafka/index.ts';
import type { RegionState } from '../../region/index.ts';
import {
  assertFlips,
  type PartitionHealth,
  type PartitionRange,
  readProgress,
  replicationHealth,
  topicRanges,
} from '../../region/index.ts';
import { lookAtBoth, regionsOf, type SeenRegion, within } from '../../region/operations/index.ts';
import { connectDatabase, standbyStatus } from '../../store/index.ts';
import { print, printJson, table } from '../output.ts';

interface ShownRegion {
  name: string;
  log: 'answers' | 'has no state' | 'does not answer';
  /** Why the log does not say who is active. */
  logProblem?: string;
  state?: RegionState;
  database: 'takes writes' | 'standby' | 'does not answer';
  /** Why it does not answer. */
  databaseProblem?: string;
  /** Of a standby: age of its newest transaction, in seconds. */
  databaseAgeS?: number;
}

interface Shown {
  /** The highest epoch that either region knows. */
  state?: RegionState;
  regions: ShownRegion[];
  /** Of every partition, when the mirror's source and target both answer. */
  mirror: PartitionHealth[];
  /** Why a failover that is started here could not change the mesh's name. */
  dnsProblem?: string;
}

const ANSWER_MS_MAX = 5_000;
/** A mirror that works copies a record within a second or two, and writes down its progress. */
const STANDS_MS = 30_000;

export function statusCommand(): Command {
  return new Command('status')
    .description(
      'Who is active, how far the mirror is behind, and topics that were truncated, recreated or skipped. Exit 1 when something is wrong.',
    )
    .option('--regions <file>', 'addresses of both regions; ORDERMESH_REGIONS_FILE by default')
    .option('--json', 'print one JSON object')
    .action(async ({ regions: file, json }: { regions?: string; json?: boolean }) => {
      const known = await regionsOf(file);
      const dnsProblem = await assertFlips(known.dns).then(
        () => undefined,
        (error: Error) => error.message,
      );
      const shown = { ...(await look(await lookAtBoth(known))), ...(dnsProblem === undefined ? {} : { dnsProblem }) };
      if (json) printJson(shown);
      else show(shown);
      const isWell =
        shown.regions.every(({ log, database }) => log === 'answers' && database !== 'does not answer') &&
        shown.state?.active !== undefined &&
        !shown.state.unfinished &&
        !hasStrayDatabase(shown) &&
        shown.mirror.every(({ state }) => state === 'replicating');
      if (!isWell) throw new NegativeResult();
    });
}

async function look(seen: readonly SeenRegion[]): Promise<Shown> {
  const state = newestState(seen);
  const regions = await Promise.all(seen.map(showRegion));
  const source = seen.find(({ addresses }) => addresses.name === state?.source);
  const target = seen.find(({ addresses }) => addresses.name !== state?.source);
  const mirror = source?.records && target?.records ? await mirrorHealth(source, target) : [];
  return { ...(state === undefined ? {} : { state }), regions, mirror };
}

export function newestState(seen: readonly SeenRegion[]): RegionState | undefined {
  return seen
    .flatMap(({ records }) => records?.state ?? [])
    .toSorted((a, b) => b.epoch - a.epoch)
    .at(0);
}

async function showRegion({ addresses, records, reason, isNew }: SeenRegion): Promise<ShownRegion> {
  const { name, databaseUrl } = addresses;
  const sql = connectDatabase({ url: databaseUrl, connections: 1, application: 'ordermesh-region' });
  const database = await within(ANSWER_MS_MAX, `PostgreSQL of ${name}`, standbyStatus(sql)).catch(
    (error: Error) => error.message,
  );
  await sql.end({ timeout: 1 });
  const answers = typeof database === 'object';
  const age =
    answers && database.isStandby && database.appliedAtMs !== undefined ? Date.now() - database.appliedAtMs : undefined;
  return {
    name,
    log: records !== undefined ? 'answers' : isNew ? 'has no state' : 'does not answer',
    ...(reason === undefined ? {} : { logProblem: reason }),
    ...(records?.state === undefined ? {} : { state: records.state }),
    database: !answers ? 'does not answer' : database.isStandby ? 'standby' : 'takes writes',
    ...(answers ? {} : { databaseProblem: database }),
    ...(age === undefined ? {} : { databaseAgeS: Math.round(age / 1_000) }),
  };
}

async function mirrorHealth(source: SeenRegion, target: SeenRegion): Promise<PartitionHealth[]> {
  const admin = createRegionAdmin({ clientId: 'ordermesh-region', brokers: source.addresses.brokers });
  try {
    const { mirrored, toldAtMs = 0 } = await readProgress(target.addresses.brokers, source.addresses.name);
    const begun = target.records?.mirrorStarted?.topicIds;
    const now = await admin.topicIds(allTopics);
    const ranges = await topicRanges(source.addresses.brokers);
    const dueAtMs = Date.now() - STANDS_MS;
    const due = toldAtMs < dueAtMs ? await offsetsAt(admin, ranges, dueAtMs) : undefined;
    return replicationHealth({
      mirrored,
      source: ranges,
      ...(due === undefined ? {} : { due }),
      ...(begun === undefined ? {} : { topicIds: { begun, now } }),
    });
  } finally {
    await admin.close();
  }
}

/** By topic and partition, the offset of the first record that was written at that time or later. */
async function offsetsAt(admin: RegionAdmin, ranges: readonly PartitionRange[], atMs: number) {
  const offsets = new Map<string, ReadonlyMap<number, number>>();
  for (const [topic, partitions] of Map.groupBy(ranges, (range) => range.topic)) {
    const numbers = partitions.map(({ partition }) => partition);
    offsets.set(topic, await admin.offsetsAt(topic, numbers, atMs));
  }
  return offsets;
}

/** The passive region's database takes writes: it is no standby, and would be out of date at a failover. */
function hasStrayDatabase({ state, regions }: Shown): boolean {
  return regions.some(({ name, database }) => name !== state?.active && database === 'takes writes');
}

function show(shown: Shown): void {
  const { state, regions, mirror, dnsProblem } = shown;
  const rows = regions.map(({ name, log, logProblem, state: own, database, databaseAgeS, databaseProblem }) => [
    name,
    state === undefined ? 'unknown' : state.active === name ? 'active' : 'passive',
    [log, logProblem].filter(Boolean).join(': '),
    own?.epoch ?? '',
    databaseAgeS === undefined
      ? [database, databaseProblem].filter(Boolean).join(': ')
      : `${database}, last transaction ${databaseAgeS} s ago`,
  ]);
  print(table(['region', 'role', 'log', 'epoch', 'database'], rows));
  if (state === undefined)
    print(
      regions.every(({ log }) => log === 'does not answer')
        ? 'neither region answers, so who is active is not known'
        : 'no region that answers knows who is active: `ordermesh region init` names the first one',
    );
  else if (state.active === undefined) print('no region is active: finish the failover, or start it again');
  else if (state.unfinished)
    print(`the failover to ${state.active} is not finished (name and probe orders): start the same command again`);
  else if (hasStrayDatabase(shown))
    print(`the passive region's database is no standby: make it one of ${state.active}'s`);
  if (dnsProblem !== undefined) print(`a failover from here could not change the mesh's name: ${dnsProblem}`);
  const topics = Map.groupBy(mirror, ({ topic }) => topic);
  const lags = [...topics].map(([topic, partitions]) => [
    topic,
    partitions.reduce((sum, { lag }) => sum + lag, 0),
    [...new Set(partitions.map((partition) => partition.state))].join(', '),
  ]);
  if (lags.length > 0) print(`\n${table(['mirrored topic', 'records behind', 'state'], lags)}`);
}
