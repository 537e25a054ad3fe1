import { regionStateTopic } from '../contracts/topics.ts';
import { createAdmin, createProducer, type ReadRecord, readTopic } from '../kafka/index.ts';

/** Which region is the active one, as one cluster knows it. */
export interface RegionState {
  /** Goes up with every change; of two states the higher epoch holds. */
  epoch: number;
  /** Name of the region that takes orders and works on them; `undefined` while none may, in the middle of a failover. */
  active: string | undefined;
  /** RFC 3339. */
  since: string;
}

/** The mirror's word that it copies nothing into this cluster any more, as of that epoch. */
export interface MirrorStopped {
  epoch: number;
}

const STATE_KEY = 'state';
const MIRROR_KEY = 'mirror-stopped';
const DEADLINE_MS = 10_000;

export interface RegionRecord {
  state?: RegionState;
  mirrorStopped?: MirrorStopped;
}

/** Creates the topic unless it is there: one partition, and only the latest record of each key matters. */
export async function createRegionTopic(brokers: string[], replicationFactor: number): Promise<void> {
  const admin = await createAdmin({ clientId: 'ordermesh-region', brokers });
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
export async function readRegion(brokers: string[]): Promise<RegionRecord & { next: number }> {
  const known: RegionRecord & { next: number } = { next: 0 };
  await readTopic({ brokers, topic: regionStateTopic, clientId: 'ordermesh-region' }, (record) => {
    merge(known, parseRegionRecord(record));
    known.next = record.offset + 1;
  });
  return known;
}

export function writeRegionState(brokers: string[], state: RegionState): Promise<void> {
  return write(brokers, STATE_KEY, state);
}

export function writeMirrorStopped(brokers: string[], stopped: MirrorStopped): Promise<void> {
  return write(brokers, MIRROR_KEY, stopped);
}

async function write(brokers: string[], key: string, value: RegionState | MirrorStopped): Promise<void> {
  const producer = await createProducer({ clientId: 'ordermesh-region', brokers, deadlineMs: DEADLINE_MS });
  try {
    await producer.send([{ topic: regionStateTopic, key, value: JSON.stringify(value) }]);
  } finally {
    await producer.close();
  }
}

/** @returns nothing for a record that is not ours */
export function parseRegionRecord({ key, value }: Pick<ReadRecord, 'key' | 'value'>): RegionRecord {
  let content: { epoch?: unknown; active?: unknown; since?: unknown };
  try {
    content = JSON.parse(String(value));
  } catch {
    return {};
  }
  const { epoch, active, since } = content ?? {};
  if (typeof epoch !== 'number' || !Number.isSafeInteger(epoch)) return {};
  if (String(key) === MIRROR_KEY) return { mirrorStopped: { epoch } };
  if (String(key) !== STATE_KEY) return {};
  return { state: { epoch, active: typeof active === 'string' ? active : undefined, since: String(since) } };
}

/** Takes over what is newer. @returns whether something was */
export function merge(known: RegionRecord, { state, mirrorStopped }: RegionRecord): boolean {
  if (state !== undefined && state.epoch > (known.state?.epoch ?? -1)) {
    known.state = state;
    return true;
  }
  if (mirrorStopped !== undefined && mirrorStopped.epoch > (known.mirrorStopped?.epoch ?? -1)) {
    known.mirrorStopped = mirrorStopped;
    return true;
  }
  return false;
}
