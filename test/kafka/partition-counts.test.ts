import { expect, test } from 'vitest';
import { allTopics, topics } from '../../contracts/topics.ts';
import type { Admin } from '../../kafka/admin/admin.ts';
import { applyPartitionCounts } from '../../kafka/admin/partition-counts.ts';

/** A cluster that has offsets and nothing else. */
function cluster(latest: number) {
  const created: [string, number][] = [];
  const admin = {
    offsets: async (topic: string) => [
      { partition: 0, earliest: latest, latest: topic === topics.rejectedOrders ? latest : 0 },
    ],
    createPartitions: async (topic: string, count: number) => void created.push([topic, count]),
  } as Pick<Admin, 'offsets' | 'createPartitions'> as Admin;
  return { admin, created };
}

const drift = (actual: string, wanted: string) =>
  allTopics.map((topic) => ({ topic, setting: 'partitions', actual, wanted }));

test('partitions are added to a mesh that has never held a record', async () => {
  const { admin, created } = cluster(0);
  expect(await applyPartitionCounts(admin, drift('12', '24'))).toEqual({ added: [...allTopics], refused: [] });
  expect(created).toEqual(allTopics.map((topic) => [topic, 24]));
});

test('they are refused where any topic has held one, also one that is gone by now, and never taken away', async () => {
  for (const [latest, actual, wanted] of [
    [1, '12', '24'],
    [0, '24', '12'],
  ] as const) {
    const { admin, created } = cluster(latest);
    const differing = drift(actual, wanted);
    expect(await applyPartitionCounts(admin, differing)).toEqual({ added: [], refused: differing });
    expect(created).toEqual([]);
  }
});

test('other settings name no partitions', async () => {
  const { admin } = cluster(1);
  const other = [{ topic: topics.rawOrders, setting: 'retention.ms', actual: '1', wanted: '2' }];
  expect(await applyPartitionCounts(admin, other)).toEqual({ added: [], refused: [] });
});
