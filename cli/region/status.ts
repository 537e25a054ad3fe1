import { Command } from 'commander';
import { allTopics } from '../../contracts/topics.ts';
import { createRegionAdmin } from '../../kafka/region-admin.ts';
import { topicRanges } from '../../region/divergence.ts';
import { readMirrored } from '../../region/mirror-offsets.ts';
import type { RegionState } from '../../region/region-state.ts';
import { type PartitionHealth, replicationHealth } from '../../region/replication-health.ts';
import { connectDatabase } from '../../store/database.ts';
import { standbyStatus } from '../../store/standby.ts';
import { NegativeResult } from '../failure.ts';
import { print, printJson, table } from '../output.ts';
import { lookAtBoth, regionsOf, type SeenRegion } from './pair.ts';

interface ShownRegion {
  name: string;
  log: 'answers' | 'does not answer';
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
}

const CONNECT_MS_MAX = 5_000;

export function statusCommand(): Command {
  return new Command('status')
    .description(
      'Who is active, how far the mirror is behind, and topics that were truncated, recreated or skipped. Exit 1 when something is wrong.',
    )
    .option('--regions <file>', 'addresses of both regions; ORDERMESH_REGIONS_FILE by default')
    .option('--json', 'print one JSON object')
    .action(async ({ regions: file, json }: { regions?: string; json?: boolean }) => {
      const shown = await look(await lookAtBoth(await regionsOf(file)));
      if (json) printJson(shown);
      else show(shown);
      const isWell =
        shown.regions.every(({ log, database }) => log === 'answers' && database !== 'does not answer') &&
        shown.state?.active !== undefined &&
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

async function showRegion({ addresses, records }: SeenRegion): Promise<ShownRegion> {
  const { name, databaseUrl } = addresses;
  const sql = connectDatabase({ url: databaseUrl, connections: 1, application: 'ordermesh-region' });
  const database = await Promise.race([
    standbyStatus(sql),
    new Promise<never>((_, reject) => setTimeout(reject, CONNECT_MS_MAX, new Error('no answer')).unref()),
  ]).catch((error: Error) => error.message);
  await sql.end({ timeout: 1 });
  const answers = typeof database === 'object';
  const age =
    answers && database.isStandby && database.appliedAtMs !== undefined ? Date.now() - database.appliedAtMs : undefined;
  return {
    name,
    log: records === undefined ? 'does not answer' : 'answers',
    ...(records?.state === undefined ? {} : { state: records.state }),
    database: !answers ? 'does not answer' : database.isStandby ? 'standby' : 'takes writes',
    ...(answers ? {} : { databaseProblem: database }),
    ...(age === undefined ? {} : { databaseAgeS: Math.round(age / 1_000) }),
  };
}

async function mirrorHealth(source: SeenRegion, target: SeenRegion): Promise<PartitionHealth[]> {
  const admin = createRegionAdmin({ clientId: 'ordermesh-region', brokers: source.addresses.brokers });
  try {
    const mirrored = await readMirrored(target.addresses.brokers, source.addresses.name);
    const begun = target.records?.mirrorStarted?.topicIds;
    const now = await admin.topicIds(allTopics);
    const ranges = await topicRanges(source.addresses.brokers);
    return replicationHealth({
      mirrored,
      source: ranges,
      ...(begun === undefined ? {} : { topicIds: { begun, now } }),
    });
  } finally {
    await admin.close();
  }
}

/** The passive region's database takes writes: it follows nobody, and a failover would find it old. */
function hasStrayDatabase({ state, regions }: Shown): boolean {
  return regions.some(({ name, database }) => name !== state?.active && database === 'takes writes');
}

function show(shown: Shown): void {
  const { state, regions, mirror } = shown;
  const rows = regions.map(({ name, log, state: own, database, databaseAgeS, databaseProblem }) => [
    name,
    state?.active === name ? 'active' : 'passive',
    log,
    own?.epoch ?? '',
    databaseAgeS === undefined
      ? [database, databaseProblem].filter(Boolean).join(': ')
      : `${database}, last transaction ${databaseAgeS} s ago`,
  ]);
  print(table(['region', 'role', 'log', 'epoch', 'database'], rows));
  if (state?.active === undefined) print('no region is active: finish the failover, or start it again');
  else if (hasStrayDatabase(shown))
    print(`the passive region's database is no standby: make it one of ${state.active}'s`);
  const topics = Map.groupBy(mirror, ({ topic }) => topic);
  const lags = [...topics].map(([topic, partitions]) => [
    topic,
    partitions.reduce((sum, { lag }) => sum + lag, 0),
    [...new Set(partitions.map((partition) => partition.state))].join(', '),
  ]);
  if (lags.length > 0) print(`\n${table(['mirrored topic', 'records behind', 'state'], lags)}`);
}
