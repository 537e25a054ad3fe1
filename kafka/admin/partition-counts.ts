// Raises the number of partitions of topics that are still empty. Called by `ordermesh topics`.

import { orderTopics } from '../../contracts/topics.ts';
import type { Admin } from './admin.ts';
import type { TopicDrift } from './topic-setup.ts';

export interface PartitionCounts {
  /** Topics that were given the wanted number of partitions, because they have never held a record. */
  added: string[];
  /** Topics with another number that hold or held records; they are not changed. */
  refused: TopicDrift[];
}

/**
 * Gives topics the wanted number of partitions, if that moves no key: in a mesh that has never held a record. Otherwise later events of an
 * order would be in another partition than its earlier ones, and nothing would keep their order.
 */
export async function applyPartitionCounts(admin: Admin, drift: readonly TopicDrift[]): Promise<PartitionCounts> {
  const counts = drift.filter(({ setting }) => setting === 'partitions');
  const grows = counts.filter(({ actual, wanted }) => Number(wanted) > Number(actual));
  if (counts.length === 0) return { added: [], refused: [] };
  if (grows.length < counts.length || !(await wereNeverUsed(admin))) return { added: [], refused: counts };
  for (const { topic, wanted } of grows) await admin.createPartitions(topic, Number(wanted));
  return { added: grows.map(({ topic }) => topic), refused: [] };
}

/** Of all topics of orders together, because a key must have the same partition number in each of them. */
async function wereNeverUsed(admin: Admin): Promise<boolean> {
  for (const topic of orderTopics) if ((await admin.offsets(topic)).some(({ latest }) => latest > 0)) return false;
  return true;
}
