// Finds orders that a region lacks and work that it has not done, and audits it. Called by main.ts.

import { judge, readEvidence, type Verdict } from '../../audit/index.ts';
import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { groups, subscriptions, topics } from '../../contracts/topics.ts';
import { readTopic, withAdmin } from '../../kafka/index.ts';

/** Those of the orders that the log of a region does not have. */
export async function missingIn(config: ConnectedConfig, promised: ReadonlySet<string>): Promise<string[]> {
  const missing = new Set(promised);
  await readTopic({ cluster: clusterOf(config), topic: topics.rawOrders }, ({ key }) => {
    missing.delete(String(key));
  });
  return [...missing];
}

/** Whether every group of a region has committed all that its topic holds; no bridge takes part. */
export function isWorkedOff(config: ConnectedConfig): Promise<boolean> {
  return withAdmin(config, async (admin) => {
    for (const { group, topic } of subscriptions) {
      if (group === groups.bridge) continue;
      const committed = await admin.committedOffsets(group, topic);
      const ranges = await admin.offsets(topic);
      if (ranges.some(({ partition, latest }) => latest > (committed.get(partition) ?? 0))) return false;
    }
    return true;
  });
}

/** The audit of a region. */
export async function auditRegion(
  config: ConnectedConfig,
  promised: Iterable<string>,
  onNote: (line: string) => void,
): Promise<Verdict> {
  return judge(await readEvidence(config, { promised, onNote }));
}
