// Reads how far each group has come in each partition. Called by watch.ts and drain.ts.

import { groups, subscriptions } from '../../../contracts/topics.ts';
import type { Admin } from '../../../kafka/index.ts';

/** How far a group has come in one partition. */
export interface PartitionProgress {
  group: string;
  topic: string;
  partition: number;
  /** The offset that its work goes on from. */
  committed: number;
  end: number;
}

/** Of every group that takes part; no bridge does. */
export async function partitionProgress(admin: Admin): Promise<PartitionProgress[]> {
  const all: PartitionProgress[] = [];
  for (const { group, topic } of subscriptions) {
    if (group === groups.bridge) continue;
    // First the positions: a record that comes between the two questions is work, and not a position past the end.
    const positions = await admin.committedOffsets(group, topic);
    for (const { partition, earliest, latest } of await admin.offsets(topic))
      all.push({ group, topic, partition, committed: positions.get(partition) ?? earliest, end: latest });
  }
  return all;
}
