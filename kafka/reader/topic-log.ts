// Looks at the logs of a topic: its id, and where each partition begins and ends. Used by the runtime, the gateway and the audit.

import { type ClusterMetadata, type Connection, listOffsetsV7, Admin as PlatformaticAdmin } from '@platformatic/kafka';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { reasonOf } from '../errors.ts';
import {
  answerIn,
  askAnotherBroker,
  isUnknownTopic,
  mayDiffer,
  topicMetadata,
} from '../producer/platformatic-internals.ts';
import { platformaticOptions } from '../security/client-options.ts';
import { withAlert } from '../security/late-alert.ts';
import { kafkaError } from '../security/refusals.ts';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** Kafka's names for the ends of a log in a query by timestamp. */
const LATEST = -1n;
const EARLIEST = -2n;
/** The replica id that a consumer sends. */
const CONSUMER = -1;
const READ_UNCOMMITTED = 0;
/** The topic id in the answer of a cluster that has no topic ids. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

export interface LogRange {
  /** Offset of the oldest record that is still there. */
  earliest: number;
  /** Offset that the next record will get. */
  latest: number;
}

/** A topic as a log: its identity and what it holds. */
export interface TopicLook {
  clusterId: string;
  /** A topic of the same name that was created later, or in another cluster, has another id. */
  logId: string;
  partitions: number;
  /** The requested partitions that exist and have a leader that answers. */
  ranges: Map<number, LogRange>;
}

/** Reads the logs of one topic. Every method rejects with `KafkaUnavailableError` on an outage. */
export interface TopicLog {
  /** Undefined if the topic does not exist. */
  look(partitions: readonly number[]): Promise<TopicLook | undefined>;
  /** Positions of a group. Partitions without one are absent. */
  committed(group: string, partitions: readonly number[]): Promise<Map<number, number>>;
  close(): Promise<void>;
}

export function createTopicLog(options: { clientId: string; cluster: KafkaCluster; topic: string }): TopicLog {
  const { topic } = options;
  const admin = new PlatformaticAdmin({
    clientId: options.clientId,
    ...platformaticOptions(options.cluster),
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retries: 1,
    autocreateTopics: false,
  });
  const guarded = <T>(action: string, work: () => Promise<T>): Promise<T> =>
    work().catch(async (failure: Error) => {
      if (mayDiffer(failure)) askAnotherBroker(admin);
      const error = await withAlert(options.cluster, failure);
      throw kafkaError(`${action} of ${topic}`, error, reasonOf(error));
    });
  return {
    look: (partitions) => guarded('look', () => look(admin, topic, partitions)),
    committed: (group, partitions) =>
      guarded(`positions of group ${group}`, async () => {
        const topics = [{ name: topic, partitionIndexes: [...partitions] }];
        const [found] = await admin.listConsumerGroupOffsets({ groups: [{ groupId: group, topics }] });
        const positions = (found?.topics ?? []).flatMap((each) =>
          each.partitions.map(
            ({ partitionIndex, committedOffset }) => [partitionIndex, Number(committedOffset)] as const,
          ),
        );
        return new Map(positions.filter(([, offset]) => offset >= 0));
      }),
    close: async () => {
      await admin.close();
    },
  };
}

async function look(
  admin: PlatformaticAdmin,
  topic: string,
  partitions: readonly number[],
): Promise<TopicLook | undefined> {
  // Asked by name: a list of topics leaves out topics that this client may not describe, and such a topic still exists.
  const metadata = await topicMetadata(admin, topic).catch((error: Error) => {
    if (isUnknownTopic(error)) return undefined;
    throw error;
  });
  const described = metadata?.topics.get(topic);
  if (metadata === undefined || described === undefined) return undefined;
  const clusterId = metadata.id;
  const there = partitions.filter((partition) => partition < described.partitionsCount);
  const [earliest, latest] = await Promise.all([
    offsetsAt(admin, metadata, topic, there, EARLIEST),
    offsetsAt(admin, metadata, topic, there, LATEST),
  ]);
  const ranges = new Map<number, LogRange>();
  for (const [partition, end] of latest) {
    const start = earliest.get(partition);
    if (start !== undefined) ranges.set(partition, { earliest: start, latest: end });
  }
  const logId = described.id === NO_ID ? `${clusterId}/${topic}` : described.id;
  return { clusterId, logId, partitions: described.partitionsCount, ranges };
}

/**
 * If a leader does not answer, only its partitions are missing from the result.
 * @throws when no leader answers
 */
async function offsetsAt(
  admin: PlatformaticAdmin,
  metadata: ClusterMetadata,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
): Promise<Map<number, number>> {
  const leaderOf = (partition: number) => metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1;
  const answers = await Promise.allSettled(
    [...Map.groupBy(partitions, leaderOf)].map(async ([leader, led]) => {
      const broker = metadata.brokers.get(leader);
      return broker === undefined ? [] : offsetsFrom(await admin.connections.get(broker), topic, led, timestamp);
    }),
  );
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined && answers.every(({ status }) => status === 'rejected')) throw failed.reason;
  return new Map(answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])));
}

/** Partitions that the broker answers with an error are missing from the result. */
async function offsetsFrom(
  leader: Connection,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
): Promise<[partition: number, offset: number][]> {
  const asked = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }));
  const listed = await listOffsetsV7.api
    .async(leader, CONSUMER, READ_UNCOMMITTED, [{ name: topic, partitions: asked }])
    .catch((error: Error) => {
      // The client makes one error of the whole answer when one partition has an error, and keeps the answer in that error.
      const answer = answerIn<Awaited<ReturnType<typeof listOffsetsV7.api.async>>>(error);
      if (answer === undefined) throw error;
      return answer;
    });
  return listed.topics
    .flatMap((one) => one.partitions)
    .filter(({ errorCode }) => errorCode === 0)
    .map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]);
}
