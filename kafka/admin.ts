import { KafkaUnavailableError } from './errors.ts';
import { kafkajsClient } from './kafkajs-client.ts';

export interface TopicSpec {
  topic: string;
  partitions: number;
  replicationFactor: number;
  /** Topic configuration by Kafka's names, for example `min.insync.replicas`. */
  config?: Record<string, string>;
}

export interface OffsetRange {
  partition: number;
  /** Offset of the oldest record that is still there. */
  earliest: number;
  /** Offset that the next record will get. */
  latest: number;
}

export interface Admin {
  /** Creates the topics that do not exist yet; says which. Existing ones are left as they are. */
  createTopics(topics: TopicSpec[]): Promise<string[]>;
  listTopics(): Promise<string[]>;
  /** Earliest and latest offsets of every partition, ascending by partition. */
  offsets(topic: string): Promise<OffsetRange[]>;
  /** Committed positions of a group in a topic by partition; partitions without a commit are absent. */
  committedOffsets(group: string, topic: string): Promise<Map<number, number>>;
  deleteTopics(topics: string[]): Promise<void>;
  close(): Promise<void>;
}

/** @throws KafkaUnavailableError when no broker can be reached. */
export async function createAdmin(options: { clientId: string; brokers: string[] }): Promise<Admin> {
  const admin = kafkajsClient(options).admin();
  try {
    await admin.connect();
  } catch (error) {
    throw new KafkaUnavailableError(`no broker of ${options.brokers.join(', ')} answers`, { cause: error });
  }
  return {
    async createTopics(topics) {
      const existing = new Set(await admin.listTopics());
      const missing = topics.filter(({ topic }) => !existing.has(topic));
      if (missing.length > 0)
        await admin.createTopics({
          waitForLeaders: true,
          topics: missing.map(({ topic, partitions, replicationFactor, config = {} }) => ({
            topic,
            numPartitions: partitions,
            replicationFactor,
            configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
          })),
        });
      return missing.map(({ topic }) => topic);
    },
    listTopics: () => admin.listTopics(),
    async offsets(topic) {
      const partitions = await admin.fetchTopicOffsets(topic);
      return partitions
        .map(({ partition, low, high }) => ({ partition, earliest: Number(low), latest: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    },
    async committedOffsets(group, topic) {
      const [entry] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      return new Map(
        (entry?.partitions ?? [])
          .map(({ partition, offset }) => [partition, Number(offset)] as const)
          .filter(([, offset]) => offset >= 0),
      );
    },
    deleteTopics: (topics) => admin.deleteTopics({ topics }),
    close: () => admin.disconnect(),
  };
}
