// Finds the records that only one region has, and sends their orders to the other. Used by the mirror, failovers and the audit.

import type { KafkaCluster } from '../contracts/config/kafka-cluster.ts';
import { allTopics, topics } from '../contracts/topics.ts';
import { createAdmin, createProducer, readTopic } from '../kafka/index.ts';
import { readMirrored } from './mirror-offsets.ts';
import type { OrphanRange, TopicOffsets } from './region-state.ts';
import type { PartitionRange } from './replication-health.ts';

const DEADLINE_MS = 10_000;

/** First and end offsets of every partition of the mesh's topics. @throws KafkaUnavailableError */
export async function topicRanges(cluster: KafkaCluster): Promise<PartitionRange[]> {
  const admin = await createAdmin({ clientId: 'ordermesh-region', cluster });
  try {
    const all: PartitionRange[] = [];
    for (const topic of allTopics) for (const range of await admin.offsets(topic)) all.push({ topic, ...range });
    return all;
  } finally {
    await admin.close();
  }
}

export function endsOf(ranges: readonly PartitionRange[]): TopicOffsets {
  const ends: Record<string, number[]> = {};
  for (const { topic, partition, latest } of ranges) {
    const offsets = ends[topic] ?? [];
    ends[topic] = offsets;
    offsets[partition] = latest;
  }
  return ends;
}

/** Whether a record is among those that only this cluster had. */
export function orphanTest(
  ranges: readonly OrphanRange[],
): (record: { topic: string; partition: number; offset: number }) => boolean {
  const byPlace = Map.groupBy(ranges, ({ topic, partition }) => `${topic}/${partition}`);
  return ({ topic, partition, offset }) =>
    byPlace.get(`${topic}/${partition}`)?.some(({ from, to }) => offset >= from && offset < to) ?? false;
}

/**
 * The records of this cluster that its peer never got: from the offset that the mirror had reached, which the peer has noted, to the ends of the logs.
 */
export async function findOrphans(options: {
  own: { name: string; cluster: KafkaCluster };
  peerCluster: KafkaCluster;
}): Promise<OrphanRange[]> {
  const { own, peerCluster } = options;
  const mirrored = await readMirrored(peerCluster, own.name);
  const ranges = await topicRanges(own.cluster);
  return ranges.flatMap(({ topic, partition, earliest, latest }) => {
    const from = Math.max(earliest, mirrored.get(topic)?.get(partition) ?? earliest);
    return from < latest ? [{ topic, partition, from, to: latest }] : [];
  });
}

/**
 * Sends accepted orders that only this cluster has to the active cluster. Orders that the active cluster has too arrive a second time, which is harmless.
 * @returns how many
 */
export async function salvageOrders(
  cluster: KafkaCluster,
  peerCluster: KafkaCluster,
  orphans: readonly OrphanRange[],
): Promise<number> {
  const placed = new Map(
    orphans.filter(({ topic }) => topic === topics.rawOrders).map((range) => [range.partition, range]),
  );
  if (placed.size === 0) return 0;
  const producer = await createProducer({
    clientId: 'ordermesh-salvage',
    cluster: peerCluster,
    deadlineMs: DEADLINE_MS,
  });
  let salvaged = 0;
  try {
    const fromOffsets = new Map([...placed].map(([partition, { from }]) => [partition, from]));
    const source = { cluster, topic: topics.rawOrders, clientId: 'ordermesh-salvage', fromOffsets };
    await readTopic(source, async ({ partition, offset, key, value, headers }) => {
      const range = placed.get(partition);
      if (range === undefined || offset < range.from || offset >= range.to || key === null) return;
      await producer.send([{ topic: topics.rawOrders, key, value, headers }]);
      salvaged++;
    });
  } finally {
    await producer.close();
  }
  return salvaged;
}
