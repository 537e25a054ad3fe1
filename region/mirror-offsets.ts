// Reads and sets how far MirrorMaker has copied a region. Called by the mirror and by `ordermesh region`.

import type { KafkaCluster } from '../contracts/config/kafka-cluster.ts';
import {
  createAdmin,
  createProducer,
  type ReadRecord,
  readTopic,
  type Tail,
  type TailOptions,
  tailTopic,
} from '../kafka/index.ts';
import { mirrorOffsetsTopic } from './mirror-config.ts';
import type { TopicOffsets } from './region-state.ts';

const DEADLINE_MS = 10_000;

/** By topic and partition, the source's offset that is copied next. */
export type Mirrored = Map<string, Map<number, number>>;

/** The progress is written every second, so a reader needs only the last ten minutes. */
const settings = { 'cleanup.policy': 'compact', 'segment.ms': '600000', 'min.cleanable.dirty.ratio': '0.1' };

/** Creates the topic in the target unless it is there: MirrorMaker itself would leave it to grow for a week. */
export async function createMirrorOffsets(
  cluster: KafkaCluster,
  source: string,
  replicationFactor: number,
): Promise<void> {
  const admin = await createAdmin({ clientId: 'ordermesh-region', cluster });
  try {
    const topic = mirrorOffsetsTopic(source);
    await admin.createTopics([{ topic, partitions: 1, replicationFactor, config: settings }]);
  } finally {
    await admin.close();
  }
}

/**
 * How far MirrorMaker has copied a source. MirrorMaker writes this once a second, and when it is stopped in good order. Empty where MirrorMaker never ran.
 * @param brokers of the target
 * @throws KafkaUnavailableError
 */
export async function readMirrored(cluster: KafkaCluster, source: string): Promise<Mirrored> {
  return (await readProgress(cluster, source)).mirrored;
}

/** The same, and when the mirror last wrote down its progress, in milliseconds since 1970. A mirror with nothing to copy writes nothing. */
export async function readProgress(
  cluster: KafkaCluster,
  source: string,
): Promise<{ mirrored: Mirrored; toldAtMs: number | undefined }> {
  const mirrored: Mirrored = new Map();
  let toldAtMs: number | undefined;
  const topic = mirrorOffsetsTopic(source);
  if (await exists(cluster, topic))
    await readTopic({ cluster, topic, clientId: 'ordermesh-region' }, (record) => {
      note(mirrored, record);
      toldAtMs = Math.max(toldAtMs ?? 0, record.timestamp);
    });
  return { mirrored, toldAtMs };
}

/** How far the mirror has copied, kept up to date until it is closed. @throws RecordRefusedError where the topic does not exist */
export async function followMirrored(
  cluster: KafkaCluster,
  source: string,
  onTrouble: TailOptions['onTrouble'],
): Promise<{ mirrored: Mirrored; close(): Promise<void> }> {
  const mirrored: Mirrored = new Map();
  const topic = mirrorOffsetsTopic(source);
  const options = { cluster, topic, clientId: 'ordermesh-mirror', from: 'earliest' as const, onTrouble };
  const tail: Tail = await tailTopic(options, (record) => note(mirrored, record));
  return { mirrored, close: () => tail.close() };
}

function note(mirrored: Mirrored, { key, value }: ReadRecord): void {
  const place = parseKey(key);
  if (place === undefined) return;
  const partitions = mirrored.get(place.topic) ?? new Map<number, number>();
  mirrored.set(place.topic, partitions);
  if (value === null) partitions.delete(place.partition);
  else partitions.set(place.partition, (JSON.parse(String(value)) as { offset: number }).offset + 1);
}

/**
 * Sets where in the source MirrorMaker, which must not run, begins: the next offset of every partition. Earlier records are in the target already,
 * because the source got them from there. The topic must exist.
 */
export async function writeMirrored(cluster: KafkaCluster, source: string, starts: TopicOffsets): Promise<void> {
  const topic = mirrorOffsetsTopic(source);
  const producer = await createProducer({ clientId: 'ordermesh-region', cluster, deadlineMs: DEADLINE_MS });
  try {
    const records = Object.entries(starts).flatMap(([name, offsets]) =>
      offsets.map((next, partition) => ({
        topic,
        key: keyOf(source, name, partition),
        // The offset is that of the last record copied; without one it begins at the beginning.
        value: next === 0 ? null : JSON.stringify({ offset: next - 1 }),
      })),
    );
    await producer.send(records);
  } finally {
    await producer.close();
  }
}

/** Connect compares keys byte by byte, so this is its own form of them. */
function keyOf(cluster: string, topic: string, partition: number): string {
  return JSON.stringify(['MirrorSourceConnector', { cluster, partition, topic }]);
}

function parseKey(key: Buffer | null): { topic: string; partition: number } | undefined {
  const [connector, place] = JSON.parse(String(key)) as [string, { topic?: string; partition?: number }];
  const { topic, partition } = place ?? {};
  if (connector !== 'MirrorSourceConnector' || topic === undefined || partition === undefined) return undefined;
  return { topic, partition };
}

async function exists(cluster: KafkaCluster, topic: string): Promise<boolean> {
  const admin = await createAdmin({ clientId: 'ordermesh-region', cluster });
  try {
    return (await admin.listTopics()).includes(topic);
  } finally {
    await admin.close();
  }
}
