import { createRequire } from 'node:module';

/*
 * When one partition has no leader (the broker or the disk of its only replica is gone), kafkajs drops the whole answer to a Metadata
 * request, and all partitions of all members stand. With this file only the partition without a leader stands, until it has a leader again.
 */

const require = createRequire(import.meta.url);

/** How often a consumer asks whether its leaderless partitions have a leader again. */
const LEADERLESS_METADATA_MS = 1_000;
const NO_LEADER = -1;
const METADATA_VERSIONS = [0, 1, 2, 3, 4, 5, 6];
const LEADER_NOT_AVAILABLE = 5;

interface TopicMetadata {
  topic: string;
  partitionMetadata: { partitionId: number; leader: number }[];
}

interface Metadata {
  topicMetadata: TopicMetadata[];
}

interface MetadataResponse {
  parse(data: Metadata): Promise<Metadata>;
}

for (const version of METADATA_VERSIONS) {
  const response = require(`kafkajs/src/protocol/requests/metadata/v${version}/response.js`) as MetadataResponse;
  const { parse } = response;
  /** kafkajs checks the errors of topics. Errors of partitions are left out of that check. */
  response.parse = async (data) => {
    await parse({ ...data, topicMetadata: data.topicMetadata.map((topic) => ({ ...topic, partitionMetadata: [] })) });
    return data;
  };
}

interface BrokerPool {
  metadata: Metadata | null;
  metadataExpireAt: number | null;
  refreshMetadata(topics: string[]): Promise<void>;
}

/** The leaderless partitions in a pool's newest metadata. Absent if there are none. */
const leaderless = new WeakMap<BrokerPool, Map<string, Set<number>>>();

const BrokerPool = require('kafkajs/src/cluster/brokerPool.js') as { prototype: BrokerPool };
const { refreshMetadata } = BrokerPool.prototype;
BrokerPool.prototype.refreshMetadata = async function (this: BrokerPool, topics) {
  await refreshMetadata.call(this, topics);
  const found = new Map<string, Set<number>>();
  for (const { topic, partitionMetadata } of this.metadata?.topicMetadata ?? []) {
    const without = partitionMetadata.filter(({ leader }) => leader === NO_LEADER);
    if (without.length > 0) found.set(topic, new Set(without.map(({ partitionId }) => partitionId)));
  }
  if (found.size === 0) {
    leaderless.delete(this);
    return;
  }
  leaderless.set(this, found);
  this.metadataExpireAt = Date.now() + LEADERLESS_METADATA_MS;
};

interface TopicPartitions {
  topic: string;
  partitions: { partition: number }[];
}

interface Cluster {
  brokerPool: BrokerPool;
  refreshMetadata(): Promise<void>;
  fetchTopicsOffset(topics: TopicPartitions[]): Promise<TopicPartitions[]>;
}

const consumers = new WeakSet<object>();

/**
 * Marks the cluster as a consumer's: it goes on with the partitions that have a leader. Clients that ask for all partitions of a topic get
 * an error.
 */
export function goOnWithoutLeaders(cluster: object): void {
  consumers.add(cluster);
}

/** The partitions of a topic that had no leader in the newest answer. */
export function leaderlessIn(cluster: object): ReadonlyMap<string, ReadonlySet<number>> | undefined {
  return leaderless.get((cluster as Cluster).brokerPool);
}

const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  createErrorFromCode(code: number): Error;
};
const Cluster = require('kafkajs/src/cluster/index.js') as { prototype: Cluster };
const { fetchTopicsOffset } = Cluster.prototype;
/** Only the leader knows where a partition begins. A consumer asks again with the next fetch. */
Cluster.prototype.fetchTopicsOffset = async function (this: Cluster, topics) {
  const without = leaderless.get(this.brokerPool);
  if (without === undefined) return fetchTopicsOffset.call(this, topics);
  const led = topics.map((one) => ({
    ...one,
    partitions: one.partitions.filter(({ partition }) => without.get(one.topic)?.has(partition) !== true),
  }));
  if (
    !consumers.has(this) &&
    led.some(({ partitions }, at) => partitions.length < (topics[at]?.partitions.length ?? 0))
  ) {
    await this.refreshMetadata();
    throw createErrorFromCode(LEADER_NOT_AVAILABLE);
  }
  const asked = led.filter(({ partitions }) => partitions.length > 0);
  const found = asked.length === 0 ? [] : await fetchTopicsOffset.call(this, asked);
  const others = led.filter(({ topic }) => !found.some((one) => one.topic === topic));
  return [...found, ...others.map(({ topic }) => ({ topic, partitions: [] }))];
};
