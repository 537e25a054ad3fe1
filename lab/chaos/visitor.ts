import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { createConsumer } from '../../kafka/index.ts';

export interface VisitOptions {
  group: string;
  topic: string;
  cluster: KafkaCluster;
}

/**
 * One more member joins a group, works on nothing that it is given, and leaves: it makes the others ask for all that a rebalance asks for. It is
 * of this process, for a process of its own takes longer to start than most faults last.
 */
export async function visitGroup(
  { group, topic, cluster }: VisitOptions,
  during: (joined: Promise<void>) => Promise<void>,
): Promise<void> {
  const joined = Promise.withResolvers<void>();
  const consumer = await createConsumer(
    { clientId: group, cluster, groupId: group, topics: [topic] },
    { onAssigned: async () => joined.resolve(), onRevoked: async () => {}, onLost: () => {}, onBatch: () => {} },
  );
  try {
    await during(joined.promise);
  } finally {
    await consumer.close();
  }
}
