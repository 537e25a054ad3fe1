// Further administration, for failovers and the mirror (region/).

import { Admin as PlatformaticAdmin } from '@platformatic/kafka';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { reasonOf } from '../errors.ts';
import { platformaticOptions } from '../security/client-options.ts';
import { withAlert } from '../security/late-alert.ts';
import { kafkaError } from '../security/refusals.ts';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Kafka's name for the end of a log in a query by timestamp. */
const LATEST = -1n;
/** Kafka's name for the record with the latest timestamp. */
const NEWEST = -3n;

/** What a failover between two clusters needs besides `Admin`. Every method rejects with `KafkaUnavailableError` on an outage. */
export interface RegionAdmin {
  /** Ids of the topics that exist, by name. A topic that was deleted and created again has another id. */
  topicIds(topics: readonly string[]): Promise<Map<string, string>>;
  /** By partition, the offset of the first record at or after that time, or the end of the log if there is none. */
  offsetsAt(topic: string, partitions: readonly number[], atMs: number): Promise<Map<number, number>>;
  /** Timestamp of the newest record of a topic, in milliseconds since 1970; `undefined` if the topic holds none. */
  newestAt(topic: string, partitions: readonly number[]): Promise<number | undefined>;
  /** Commits positions for a group that has no members. */
  commitFor(group: string, topic: string, positions: ReadonlyMap<number, number>): Promise<void>;
  /** How many members each of the groups has now. */
  memberCounts(groups: readonly string[]): Promise<Map<string, number>>;
  /** Removes the records before these offsets. */
  deleteRecordsBefore(topic: string, offsets: ReadonlyMap<number, number>): Promise<void>;
  close(): Promise<void>;
}

export function createRegionAdmin({ clientId, cluster }: { clientId: string; cluster: KafkaCluster }): RegionAdmin {
  const admin = new PlatformaticAdmin({
    clientId,
    ...platformaticOptions(cluster),
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retries: 5,
    autocreateTopics: false,
  });
  const guarded = <T>(action: string, work: () => Promise<T>): Promise<T> =>
    work().catch(async (failure: Error) => {
      const error = await withAlert(cluster, failure);
      throw kafkaError(action, error, reasonOf(error));
    });
  const offsetsAt = async (topic: string, partitions: readonly number[], timestamp: bigint) => {
    const [listed] = await admin.listOffsets({
      topics: [{ name: topic, partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })) }],
    });
    return new Map((listed?.partitions ?? []).map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]));
  };
  return {
    topicIds: (topics) =>
      guarded('ids of topics', async () => {
        const existing = new Set(await admin.listTopics());
        const asked = topics.filter((topic) => existing.has(topic));
        if (asked.length === 0) return new Map();
        const { topics: described } = await admin.metadata({ topics: asked, forceUpdate: true });
        return new Map([...described].map(([topic, { id }]) => [topic, id]));
      }),
    offsetsAt: (topic, partitions, atMs) =>
      guarded(`offsets of ${topic} by time`, async () => {
        const [at, ends] = await Promise.all([
          offsetsAt(topic, partitions, BigInt(Math.max(0, Math.floor(atMs)))),
          offsetsAt(topic, partitions, LATEST),
        ]);
        return new Map(
          [...ends].map(([partition, end]) => {
            const found = at.get(partition) ?? -1;
            return [partition, found < 0 ? end : found];
          }),
        );
      }),
    newestAt: (topic, partitions) =>
      guarded(`newest record of ${topic}`, async () => {
        const asked = partitions.map((partitionIndex) => ({ partitionIndex, timestamp: NEWEST }));
        const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions: asked }] });
        const times = (listed?.partitions ?? []).map(({ timestamp }) => Number(timestamp)).filter((at) => at >= 0);
        return times.length === 0 ? undefined : Math.max(...times);
      }),
    commitFor: (group, topic, positions) =>
      guarded(`commit of ${group}`, async () => {
        if (positions.size === 0) return;
        const partitionOffsets = [...positions].map(([partition, offset]) => ({ partition, offset: BigInt(offset) }));
        await admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionOffsets }] });
      }),
    memberCounts: (groups) =>
      guarded('members of groups', async () => {
        const described = await admin.describeGroups({ groups: [...groups] });
        return new Map([...described].map(([id, { members }]) => [id, members.size]));
      }),
    deleteRecordsBefore: (topic, offsets) =>
      guarded(`delete records of ${topic}`, async () => {
        const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: BigInt(offset) }));
        await admin.deleteRecords({ topics: [{ name: topic, partitions }] });
      }),
    close: async () => {
      await admin.close();
    },
  };
}
