// Prepares a region to copy the other one after a failover. Called by mirror-role.ts.

import type { KafkaCluster } from '../contracts/config/kafka-cluster.ts';
import { allTopics } from '../contracts/topics.ts';
import { createRegionAdmin } from '../kafka/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { findOrphans, salvageOrders, topicRanges } from './divergence.ts';
import { createMirrorOffsets, writeMirrored } from './mirror-offsets.ts';
import { type RegionState, readRegion, writeMirrorStarted, writeOrphans } from './region-state.ts';

export interface TenureOptions {
  /** This region, which copies. */
  own: { name: string; cluster: KafkaCluster };
  /** The region that is copied. */
  source: { name: string; cluster: KafkaCluster };
  state: RegionState;
  replicationFactor: number;
  logger: Logger;
}

/**
 * Runs once for each tenure of the other region, before that region is copied. Notes the records that this region alone has and sends their orders to
 * the other region; then lets the mirror begin where the other region's own records begin. May be cut short and run again at any point.
 * @returns the ids of the source's topics when its copying began
 */
export async function beginTenure(options: TenureOptions): Promise<Readonly<Record<string, string>>> {
  const { own, source, state, replicationFactor, logger } = options;
  const { tenure, starts } = state;
  await createMirrorOffsets(own.cluster, source.name, replicationFactor);
  const { records } = await readRegion(own.cluster);
  if (records.mirrorStarted?.tenure === tenure) return records.mirrorStarted.topicIds;
  // A cluster that is new has nothing: everything is copied.
  const isNew = (await topicRanges(own.cluster)).every(({ latest }) => latest === 0);
  if (starts !== undefined && !isNew) {
    const orphans = await findOrphans({ own, peerCluster: source.cluster });
    if (!records.orphans.some((noted) => noted.tenure === tenure))
      await writeOrphans(own.cluster, { tenure, ranges: orphans });
    const orders = await salvageOrders(own.cluster, source.cluster, orphans);
    logger.info({ orders, partitions: orphans.length }, 'sent the other region what only this one had');
    await writeMirrored(own.cluster, source.name, starts);
  }
  const topicIds = Object.fromEntries(await topicIdsOf(source.cluster));
  await writeMirrorStarted(own.cluster, { tenure, topicIds });
  return topicIds;
}

/** Ids of the mesh's topics in a cluster. @throws KafkaUnavailableError */
export async function topicIdsOf(cluster: KafkaCluster): Promise<Map<string, string>> {
  const admin = createRegionAdmin({ clientId: 'ordermesh-mirror', cluster });
  try {
    return await admin.topicIds(allTopics);
  } finally {
    await admin.close();
  }
}
