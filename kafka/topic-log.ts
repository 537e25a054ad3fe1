import { Admin as PlatformaticAdmin } from '@platformatic/kafka';
import { KafkaUnavailableError } from './errors.ts';
import { askAnotherBroker } from './platformatic-internals.ts';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** Kafka's names for the ends of a log in a question by timestamp. */
const LATEST = -1n;
const EARLIEST = -2n;
/** What a cluster without ids of topics says. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

export interface LogRange {
  /** Offset of the oldest record that is still there. */
  earliest: number;
  /** Offset that the next record will get. */
  latest: number;
}

/** A topic as a log: which one it is, and what it holds. */
export interface TopicLook {
  clusterId: string;
  /** Another one for a topic of the same name that was created later, or in another cluster. */
  logId: string;
  partitions: number;
  /** Of the partitions that were asked for and exist. */
  ranges: Map<number, LogRange>;
}

/** Looks at one topic. Every method rejects with `KafkaUnavailableError` on an outage. */
export interface TopicLog {
  /** Undefined when there is no such topic. */
  look(partitions: readonly number[]): Promise<TopicLook | undefined>;
  /** Positions of a group; partitions without one are absent. */
  committed(group: string, partitions: readonly number[]): Promise<Map<number, number>>;
  close(): Promise<void>;
}

export function createTopicLog(options: { clientId: string; brokers: string[]; topic: string }): TopicLog {
  const { topic } = options;
  const admin = new PlatformaticAdmin({
    clientId: options.clientId,
    bootstrapBrokers: options.brokers,
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retries: 1,
    autocreateTopics: false,
  });
  const guarded = <T>(action: string, work: () => Promise<T>): Promise<T> =>
    work().catch((error: Error) => {
      askAnotherBroker(admin);
      throw new KafkaUnavailableError(`${action} of ${topic}: ${error.message}`, { cause: error });
    });
  const offsetsAt = async (partitions: readonly number[], timestamp: bigint): Promise<Map<number, number>> => {
    const asked = partitions.map((partitionIndex) => ({ partitionIndex, timestamp }));
    const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions: asked }] });
    return new Map((listed?.partitions ?? []).map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]));
  };
  return {
    look: (partitions) =>
      guarded('look', async () => {
        if (!(await admin.listTopics()).includes(topic)) return undefined;
        const { id: clusterId, topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
        const described = topics.get(topic);
        if (described === undefined) return undefined;
        const there = partitions.filter((partition) => partition < described.partitionsCount);
        const [earliest, latest] =
          there.length === 0
            ? [new Map<number, number>(), new Map<number, number>()]
            : await Promise.all([offsetsAt(there, EARLIEST), offsetsAt(there, LATEST)]);
        const ranges = new Map(
          there.map((partition) => [
            partition,
            { earliest: earliest.get(partition) ?? 0, latest: latest.get(partition) ?? 0 },
          ]),
        );
        const logId = described.id === NO_ID ? `${clusterId}/${topic}` : described.id;
        return { clusterId, logId, partitions: described.partitionsCount, ranges };
      }),
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
