import { createAdmin, createProducer, readTopic } from '../kafka/index.ts';
import { mirrorOffsetsTopic } from './mirror-config.ts';
import type { TopicOffsets } from './region-state.ts';

const DEADLINE_MS = 10_000;

/**
 * How far MirrorMaker has copied a source: by topic and partition, the source's offset that it copies next. It tells once a second, and at
 * once when it is stopped in good order. Empty where it never ran.
 * @param brokers of the target
 * @throws KafkaUnavailableError
 */
export async function readMirrored(brokers: string[], source: string): Promise<Map<string, Map<number, number>>> {
  const mirrored = new Map<string, Map<number, number>>();
  const topic = mirrorOffsetsTopic(source);
  if (!(await exists(brokers, topic))) return mirrored;
  await readTopic({ brokers, topic, clientId: 'ordermesh-region' }, ({ key, value }) => {
    const place = parseKey(key);
    if (place === undefined) return;
    const partitions = mirrored.get(place.topic) ?? new Map<number, number>();
    mirrored.set(place.topic, partitions);
    if (value === null) partitions.delete(place.partition);
    else partitions.set(place.partition, (JSON.parse(String(value)) as { offset: number }).offset + 1);
  });
  return mirrored;
}

/**
 * Tells MirrorMaker, which must not run, where in the source to begin: the next offset of every partition. What stands before it is in the
 * target already, for the source got it from there.
 */
export async function writeMirrored(options: {
  brokers: string[];
  source: string;
  starts: TopicOffsets;
  replicationFactor: number;
}): Promise<void> {
  const { brokers, source, starts, replicationFactor } = options;
  const topic = mirrorOffsetsTopic(source);
  const admin = await createAdmin({ clientId: 'ordermesh-region', brokers });
  try {
    await admin.createTopics([{ topic, partitions: 1, replicationFactor, config: { 'cleanup.policy': 'compact' } }]);
  } finally {
    await admin.close();
  }
  const producer = await createProducer({ clientId: 'ordermesh-region', brokers, deadlineMs: DEADLINE_MS });
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

async function exists(brokers: string[], topic: string): Promise<boolean> {
  const admin = await createAdmin({ clientId: 'ordermesh-region', brokers });
  try {
    return (await admin.listTopics()).includes(topic);
  } finally {
    await admin.close();
  }
}
