// Looks at the state of both regions and of the mirror. Called by `ordermesh region status`.

import { allTopics } from '../../contracts/topics.ts';
import { createRegionAdmin, type RegionAdmin } from '../../kafka/index.ts';
import { connectDatabase, standbyStatus } from '../../store/index.ts';
import { topicRanges } from '../divergence.ts';
import { assertFlips } from '../dns/flip.ts';
import { readProgress } from '../mirror-offsets.ts';
import { newestState, type RegionState } from '../region-state.ts';
import type { Regions } from '../regions.ts';
import { type PartitionHealth, type PartitionRange, replicationHealth } from '../replication-health.ts';
import { lookAtBoth, type SeenRegion } from './pair.ts';
import { within } from './within.ts';

/** One region, as it answers now. */
export interface RegionHealth {
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

/** What `ordermesh region status --json` prints. */
export interface MeshHealth {
  /** The highest epoch that either region knows. */
  state?: RegionState;
  regions: RegionHealth[];
  /** Of every partition, when the mirror's source and target both answer. */
  mirror: PartitionHealth[];
  /** Why a failover that is started here could not change the mesh's name. */
  dnsProblem?: string;
}

const ANSWER_MS_MAX = 5_000;
/** A mirror that works copies a record within a second or two, and writes down its progress. */
const STANDS_MS = 30_000;

/** Looks at both regions, the mirror between them, and whether a failover from here could change the mesh's name. */
export async function meshHealth(known: Regions): Promise<MeshHealth> {
  const dnsProblem = await assertFlips(known.dns).then(
    () => undefined,
    (error: Error) => error.message,
  );
  const seen = await lookAtBoth(known);
  const state = newestState(seen.map(({ records }) => records));
  const regions = await Promise.all(seen.map(healthOfRegion));
  const source = seen.find(({ addresses }) => addresses.name === state?.source);
  const target = seen.find(({ addresses }) => addresses.name !== state?.source);
  const mirror = source?.records && target?.records ? await mirrorHealth(source, target) : [];
  return {
    ...(state === undefined ? {} : { state }),
    regions,
    mirror,
    ...(dnsProblem === undefined ? {} : { dnsProblem }),
  };
}

/** Whether a failover could be started now, and would lose nothing. */
export function isWell(mesh: MeshHealth): boolean {
  return (
    mesh.regions.every(({ log, database }) => log === 'answers' && database !== 'does not answer') &&
    mesh.state?.active !== undefined &&
    !mesh.state.unfinished &&
    !hasStrayDatabase(mesh) &&
    mesh.mirror.every(({ state }) => state === 'replicating')
  );
}

/** The passive region's database takes writes: it is no standby, and would be out of date at a failover. */
export function hasStrayDatabase({ state, regions }: MeshHealth): boolean {
  return regions.some(({ name, database }) => name !== state?.active && database === 'takes writes');
}

async function healthOfRegion({ addresses, records, reason, isNew }: SeenRegion): Promise<RegionHealth> {
  const { name } = addresses;
  const sql = connectDatabase({ server: addresses.database, connections: 1, application: 'ordermesh-region' });
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
  const admin = createRegionAdmin({ clientId: 'ordermesh-region', cluster: source.addresses.cluster });
  try {
    const { mirrored, toldAtMs = 0 } = await readProgress(target.addresses.cluster, source.addresses.name);
    const begun = target.records?.mirrorStarted?.topicIds;
    const now = await admin.topicIds(allTopics);
    const ranges = await topicRanges(source.addresses.cluster);
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
