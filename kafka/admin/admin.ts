// Topics, offsets and groups, for commands and for roles at their start.

import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin as KafkajsAdmin } from 'kafkajs';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { TopicPartition } from '../consumer/consumer.ts';
import { kafkajsClient } from '../kafkajs/kafkajs-client.ts';
import { protocolErrorName } from '../kafkajs/kafkajs-errors.ts';
import type { Log } from '../log.ts';
import { kafkaError } from '../security/refusals.ts';

/** Ten seconds in total: a busy machine may need that long to elect leaders. */
const OFFSET_ATTEMPTS = 100;
const OFFSET_RETRY_MS = 100;
const notYetLeading = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']);
/** A coordinator that was just elected reads its log before it answers; until then the one before may still be named. */
const notYetCoordinating = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);

export interface TopicSpec {
  topic: string;
  partitions: number;
  replicationFactor: number;
  /** Topic settings by Kafka's names, for example `min.insync.replicas`. */
  config?: Record<string, string>;
}

export interface TopicDescription {
  topic: string;
  partitions: number;
  /** The smallest value of its partitions. */
  replicationFactor: number;
  /** The number of in-sync replicas of the partition that has the fewest. */
  inSyncReplicas: number;
  /** All settings in force, by Kafka's names. */
  config: Record<string, string>;
}

export interface OffsetRange {
  partition: number;
  /** Offset of the oldest record that is still there. */
  earliest: number;
  /** Offset that the next record will get. */
  latest: number;
}

/** A member of a group as the group's coordinator knows it. */
export interface GroupMember {
  memberId: string;
  clientId: string;
  /** The partitions assigned to the member, whether or not it works on them. */
  assigned: TopicPartition[];
}

/** Every method rejects with `KafkaUnavailableError` on an outage. */
export interface Admin {
  /**
   * Creates the topics that do not exist yet; existing topics are not changed. Resolves when their leaders serve.
   * @returns the names of the topics it created
   */
  createTopics(topics: TopicSpec[]): Promise<string[]>;
  listTopics(): Promise<string[]>;
  /** The topics in the list that exist. */
  describeTopics(topics: string[]): Promise<TopicDescription[]>;
  /** Earliest and latest offsets of every partition, ascending by partition; empty for a topic that does not exist. */
  offsets(topic: string): Promise<OffsetRange[]>;
  /** Committed positions of a group in a topic, by partition. Partitions without a commit are absent. */
  committedOffsets(group: string, topic: string): Promise<Map<number, number>>;
  /** Gives a topic more partitions. Keys move to other partitions, so the topic must hold no record that is still to be worked on. */
  createPartitions(topic: string, count: number): Promise<void>;
  /** Members of a group as its coordinator knows them; empty if the group does not exist. */
  groupMembers(group: string): Promise<GroupMember[]>;
  /** Deletes the topics in the list that exist. */
  deleteTopics(topics: string[]): Promise<void>;
  close(): Promise<void>;
}

/** @throws KafkaUnavailableError when no broker can be reached */
export async function createAdmin(options: { clientId: string; cluster: KafkaCluster; log?: Log }): Promise<Admin> {
  const admin = kafkajsClient(options).admin();
  const guarded = <T>(action: string, work: () => Promise<T>): Promise<T> =>
    work().catch((error: Error) => {
      throw kafkaError(action, error);
    });
  await guarded(`no broker of ${options.cluster.brokers.join(', ')} answers`, () => admin.connect());
  return {
    createTopics: (topics) => guarded('create topics', () => createTopics(admin, topics)),
    listTopics: () => guarded('list topics', () => admin.listTopics()),
    describeTopics: (topics) => guarded('describe topics', () => describeTopics(admin, topics)),
    offsets: (topic) => guarded(`offsets of ${topic}`, () => offsets(admin, topic)),
    async committedOffsets(group, topic) {
      const [entry] = await guarded(`offsets of group ${group}`, () => groupOffsets(admin, group, topic));
      const committed = (entry?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)] as const);
      return new Map(committed.filter(([, offset]) => offset >= 0));
    },
    createPartitions: (topic, count) =>
      guarded(`create partitions of ${topic}`, async () => {
        await admin.createPartitions({ topicPartitions: [{ topic, count }] });
        await offsets(admin, topic);
      }),
    groupMembers: (group) => guarded(`members of group ${group}`, () => groupMembers(admin, group)),
    async deleteTopics(topics) {
      const existing = new Set(await guarded('list topics', () => admin.listTopics()));
      const present = topics.filter((topic) => existing.has(topic));
      if (present.length > 0) await guarded('delete topics', () => admin.deleteTopics({ topics: present }));
    },
    close: () => admin.disconnect(),
  };
}

async function createTopics(admin: KafkajsAdmin, topics: TopicSpec[]): Promise<string[]> {
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter(({ topic }) => !existing.has(topic));
  if (missing.length === 0) return [];
  // Another process may create one of the topics at the same time. kafkajs then answers `false`, and the topic exists as well.
  await admin.createTopics({
    // kafkajs's own wait fails on a busy cluster, whose brokers learn of a new topic a moment later.
    waitForLeaders: false,
    topics: missing.map(({ topic, partitions, replicationFactor, config = {} }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
    })),
  });
  for (const { topic } of missing) await serving(admin, topic);
  return missing.map(({ topic }) => topic);
}

/** A known leader may not serve yet, so each partition is asked for an answer. */
async function serving(admin: KafkajsAdmin, topic: string): Promise<void> {
  for (let attempt = 1; (await offsets(admin, topic)).length === 0; attempt++) {
    if (attempt === OFFSET_ATTEMPTS) throw new Error(`the brokers do not know ${topic} yet`);
    await delay(OFFSET_RETRY_MS);
  }
}

async function describeTopics(admin: KafkajsAdmin, topics: string[]): Promise<TopicDescription[]> {
  const existing = new Set(await admin.listTopics());
  const present = topics.filter((topic) => existing.has(topic));
  if (present.length === 0) return [];
  const { topics: metadata } = await admin.fetchTopicMetadata({ topics: present });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: present.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  return metadata.map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.length,
    replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    inSyncReplicas: Math.min(...partitions.map(({ isr }) => isr.length)),
    config: Object.fromEntries(
      (resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? []).map((entry) => [
        entry.configName,
        entry.configValue,
      ]),
    ),
  }));
}

async function groupMembers(admin: KafkajsAdmin, group: string): Promise<GroupMember[]> {
  const { groups } = await admin.describeGroups([group]);
  return (groups[0]?.members ?? []).map(({ memberId, clientId, memberAssignment }) => ({
    memberId,
    clientId,
    // Without bytes there is no assignment yet: a rebalance is in progress.
    assigned: memberAssignment.length === 0 ? [] : assignedIn(memberAssignment),
  }));
}

function assignedIn(assignment: Buffer): TopicPartition[] {
  const { assignment: byTopic = {} } = kafkajs.AssignerProtocol.MemberAssignment.decode(assignment) ?? {};
  return Object.entries(byTopic).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}

/** While the coordinator of the group changes, kafkajs reports the error instead of trying again; each try looks the coordinator up. */
async function groupOffsets(admin: KafkajsAdmin, group: string, topic: string) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await admin.fetchOffsets({ groupId: group, topics: [topic] });
    } catch (error) {
      const name = protocolErrorName(error);
      if (attempt === OFFSET_ATTEMPTS || name === undefined || !notYetCoordinating.has(name)) throw error;
      await delay(OFFSET_RETRY_MS);
    }
  }
}

async function offsets(admin: KafkajsAdmin, topic: string): Promise<OffsetRange[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const partitions = await admin.fetchTopicOffsets(topic);
      return partitions
        .map(({ partition, low, high }) => ({ partition, earliest: Number(low), latest: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    } catch (error) {
      const name = protocolErrorName(error);
      if (name === 'UNKNOWN_TOPIC_OR_PARTITION' && !(await admin.listTopics()).includes(topic)) return [];
      // The leader of a new partition takes a moment to learn that it leads. kafkajs reports the error for that instead of trying again.
      if (attempt === OFFSET_ATTEMPTS || name === undefined || !notYetLeading.has(name)) throw error;
      await delay(OFFSET_RETRY_MS);
    }
  }
}
