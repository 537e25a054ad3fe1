// Reads and writes the topic `region-state`, which says in each cluster who is active. Used throughout region/.

import type { KafkaCluster } from '../contracts/config/kafka-cluster.ts';
import { regionStateTopic } from '../contracts/topics.ts';
import { createAdmin, createProducer, type ReadRecord, readTopic } from '../kafka/index.ts';

/** Offsets by topic; the index is the partition. */
export type TopicOffsets = Readonly<Record<string, readonly number[]>>;

/** Which region is the active one, as one cluster knows it. */
export interface RegionState {
  /** Goes up with every change; of two states the higher epoch holds. */
  epoch: number;
  /** Name of the region that takes orders and works on them; absent while none may, in the middle of a failover. */
  active?: string;
  /** Region whose log is the one to copy; absent while nothing may be copied. In a planned failover it outlasts `active`. */
  source?: string;
  /** The region that is taking over, while none is active. */
  next?: string;
  /** Epoch of the source's promotion. */
  tenure: number;
  /** Where the source's own records begin: the ends of its logs when it was promoted. Absent for the first region. */
  starts?: TopicOffsets;
  /** The failover to `active` is not finished: the mesh's name and the probe orders are left to do. */
  unfinished?: true;
  /** While no region is active: the database of `next` had everything up to this time before it took writes, in milliseconds since 1970. */
  databaseAtMs?: number;
  /** RFC 3339. */
  since: string;
}

/** The mirror writes this when it has stopped copying into this cluster, as of that epoch. */
export interface MirrorStopped {
  epoch: number;
}

/** The mirror's notes on the tenure it copies. */
export interface MirrorStarted {
  tenure: number;
  /** Ids of the source's topics when it began. */
  topicIds: Readonly<Record<string, string>>;
}

/** Records of this cluster that the other one never got: what a dead region had left when the other one took over. */
export interface Orphans {
  tenure: number;
  ranges: readonly OrphanRange[];
}

export interface OrphanRange {
  topic: string;
  partition: number;
  /** First offset, and the one behind the last. */
  from: number;
  to: number;
}

/** Everything that a cluster's topic `region-state` says. */
export interface RegionRecords {
  state?: RegionState;
  mirrorStopped?: MirrorStopped;
  mirrorStarted?: MirrorStarted;
  /** By tenure of the other region, oldest first. */
  orphans: Orphans[];
}

const DEADLINE_MS = 10_000;

/** Creates the topic unless it is there: one partition, and only the latest record of each key matters. */
export async function createRegionTopic(cluster: KafkaCluster, replicationFactor: number): Promise<void> {
  const admin = await createAdmin({ clientId: 'ordermesh-region', cluster });
  try {
    const config = { 'cleanup.policy': 'compact' };
    await admin.createTopics([{ topic: regionStateTopic, partitions: 1, replicationFactor, config }]);
  } finally {
    await admin.close();
  }
}

/**
 * What a cluster knows now, and where its topic goes on.
 * @throws KafkaUnavailableError when the cluster can't be reached, RecordRefusedError when it has no such topic
 */
export async function readRegion(cluster: KafkaCluster): Promise<{ records: RegionRecords; next: number }> {
  const records: RegionRecords = { orphans: [] };
  let next = 0;
  await readTopic({ cluster, topic: regionStateTopic, clientId: 'ordermesh-region' }, (record) => {
    note(records, record);
    next = record.offset + 1;
  });
  return { records, next };
}

export const writeRegionState = (cluster: KafkaCluster, state: RegionState) => write(cluster, 'state', state);

export const writeMirrorStopped = (cluster: KafkaCluster, stopped: MirrorStopped) =>
  write(cluster, 'mirror-stopped', stopped);

export const writeMirrorStarted = (cluster: KafkaCluster, started: MirrorStarted) =>
  write(cluster, 'mirror-started', started);

export const writeOrphans = (cluster: KafkaCluster, orphans: Orphans) =>
  write(cluster, `orphans/${orphans.tenure}`, orphans);

async function write(cluster: KafkaCluster, key: string, value: object): Promise<void> {
  const producer = await createProducer({ clientId: 'ordermesh-region', cluster, deadlineMs: DEADLINE_MS });
  try {
    await producer.send([{ topic: regionStateTopic, key, value: JSON.stringify(value) }]);
  } finally {
    await producer.close();
  }
}

/** Applies a record: of two states the higher epoch holds, of all other records the later one. Records of other writers are ignored. */
export function note(records: RegionRecords, { key, value }: Pick<ReadRecord, 'key' | 'value'>): void {
  const content = parse(value);
  if (content === undefined) return;
  switch (String(key).split('/', 1)[0]) {
    case 'state':
      noteState(records, content as RegionState);
      break;
    case 'mirror-stopped':
      records.mirrorStopped = content as MirrorStopped;
      break;
    case 'mirror-started':
      records.mirrorStarted = content as MirrorStarted;
      break;
    case 'orphans':
      records.orphans = [...records.orphans, content as Orphans];
      break;
    default:
  }
}

export function noteState(records: Pick<RegionRecords, 'state'>, state: RegionState): void {
  if (Number.isSafeInteger(state.epoch) && state.epoch > (records.state?.epoch ?? 0)) records.state = state;
}

/** Of the states that several clusters told, the one that holds. */
export function newestState(records: readonly (Pick<RegionRecords, 'state'> | undefined)[]): RegionState | undefined {
  return records
    .flatMap((each) => each?.state ?? [])
    .reduce<RegionState | undefined>(
      (newest, state) => (newest === undefined || state.epoch > newest.epoch ? state : newest),
      undefined,
    );
}

function parse(value: Buffer | null): object | undefined {
  try {
    const content: unknown = JSON.parse(String(value));
    return typeof content === 'object' && content !== null ? content : undefined;
  } catch {
    // Not ours: the topic is open to others.
    return undefined;
  }
}
