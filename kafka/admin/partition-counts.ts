import { allTopics } from '../../contracts/topics.ts';
import type { Admin } from './admin.ts';
import type { TopicDrift } from './topic-setup.ts';

export interface PartitionCounts {
  /** Topics that were given the number of partitions that is wanted: they had never held a record. */
  added: string[];
  /** Topics that have another number and hold records, or held some: they stay as they are. */
  refused: TopicDrift[];
}

/**
 * Brings topics to the number of partitions that is wanted, where that moves no key: in a mesh that has never held a record. Otherwise the later
 * events of an order would stand in another partition than its earlier ones, side by side with them and in no order.
 */
export async function applyPartitionCounts(admin: Admin, drift: readonly TopicDrift[]): Promise<PartitionCounts> {
  const counts = drift.filter(({ setting }) => setting === 'partitions');
  const grows = counts.filter(({ actual, wanted }) => Number(wanted) > Number(actual));
  if (counts.length === 0) return { added: [], refused: [] };
  if (grows.length < counts.length || !(await wereNeverUsed(admin))) return { added: [], refused: counts };
  for (const { topic, wanted } of grows) await admin.createPartitions(topic, Number(wanted));
  return { added: grows.map(({ topic }) => topic), refused: [] };
}

/** Of all topics: the partition of a key has to be the same number in each of them. */
async function wereNeverUsed(admin: Admin): Promise<boolean> {
  for (const topic of allTopics) if ((await admin.offsets(topic)).some(({ latest }) => latest > 0)) return false;
  return true;
}
