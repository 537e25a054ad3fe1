import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { createAdmin, createConsumer } from '../../kafka/index.ts';
import { servers } from '../support/servers.ts';

test('the members of a group, with the partitions that each was given', async () => {
  const { cluster } = servers();
  const topic = `members-${randomUUID()}`;
  const admin = await createAdmin({ clientId: 'test', cluster });
  try {
    expect(await admin.groupMembers(topic)).toEqual([]);
    await admin.createTopics([{ topic, partitions: 3, replicationFactor: 1 }]);
    const consumer = await createConsumer(
      { clientId: 'kitchen', cluster, groupId: topic, topics: [topic] },
      { onAssigned: async () => {}, onRevoked: async () => {}, onLost: () => {}, onBatch: () => {} },
    );
    try {
      await vi.waitFor(() => expect(consumer.assignment).toHaveLength(3), 30_000);
      const [member, ...others] = await admin.groupMembers(topic);
      expect(others).toEqual([]);
      expect(member?.clientId).toBe('kitchen');
      expect(member?.memberId).toMatch(/./);
      expect(member?.assigned.toSorted((a, b) => a.partition - b.partition)).toEqual(
        [0, 1, 2].map((partition) => ({ topic, partition })),
      );
    } finally {
      await consumer.close();
    }
  } finally {
    await admin.close();
  }
});
