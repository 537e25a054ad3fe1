import {
  type Base,
  type ClusterMetadata,
  type ClusterPartitionMetadata,
  findErrorBy,
  type metadataV12,
  ResponseError,
} from '@platformatic/kafka';
import { KafkaSetupError } from '../errors.ts';
import { produceVerdict } from './produce-errors.ts';

/**
 * Rotates the bootstrap list, so that the next request for metadata or a producer id goes to another broker. The client always asks the
 * first broker that accepts a connection, even if this broker has just failed to answer: a stopped broker, or a proxy in front of a dead
 * broker, still accepts connections. The list is not part of the client's public interface; the package is pinned exactly, so the list
 * stays where it is.
 */
export function askAnotherBroker(client: Base): void {
  const symbol = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === 'plt.kafka.base.bootstrapBrokers',
  );
  const brokers: unknown = symbol === undefined ? undefined : Reflect.get(client, symbol);
  if (!Array.isArray(brokers))
    throw new Error('this version of @platformatic/kafka keeps its bootstrap brokers elsewhere');
  brokers.push(brokers.shift());
}

type MetadataAnswer = Awaited<ReturnType<typeof metadataV12.api.async>>;

/**
 * Metadata of one topic. The client drops the whole answer when one partition has an error. This function gives a partition without a
 * leader the leader -1, and the other partitions keep their leaders.
 * @throws KafkaSetupError when the topic may not be described; KafkaUnavailableError with the broker's reason for other errors of the topic
 */
export async function topicMetadata(client: Base, name: string): Promise<ClusterMetadata> {
  try {
    return await client.metadata({ topics: [name], forceUpdate: true });
  } catch (error) {
    const answer = answerIn<MetadataAnswer>(error);
    const topic = answer?.topics.find((one) => one.name === name);
    if (answer === undefined || topic === undefined) throw error;
    const verdict = produceVerdict(`topic ${name}`, topic.errorCode, null);
    if (verdict.kind !== 'acknowledged') throw Object.assign(verdict.error, { cause: error });
    return metadataFrom(answer, topic);
  }
}

function metadataFrom(answer: MetadataAnswer, topic: MetadataAnswer['topics'][number]): ClusterMetadata {
  const lastUpdate = Date.now();
  const partitions: ClusterPartitionMetadata[] = [];
  for (const { partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas } of topic.partitions)
    partitions[partitionIndex] = {
      leader: leaderId,
      leaderEpoch,
      replicas: replicaNodes,
      isr: isrNodes,
      offlineReplicas,
    };
  const described = { id: topic.topicId, partitions, partitionsCount: topic.partitions.length, lastUpdate };
  return {
    id: answer.clusterId ?? '',
    brokers: new Map(answer.brokers.map(({ nodeId, host, port, rack }) => [nodeId, { host, port, rack }])),
    topics: new Map([[topic.name ?? '', described]]),
    lastUpdate,
    controllerId: answer.controllerId,
  };
}

/** The answer that the client dropped because part of it has an error. */
export function answerIn<Answer>(error: unknown): Answer | undefined {
  if (!(error instanceof Error)) return undefined;
  const thrown: unknown = findErrorBy(error, 'code', ResponseError.code);
  return thrown === null ? undefined : (thrown as { response?: Answer }).response;
}

export function isUnknownTopic(error: unknown): boolean {
  return error instanceof Error && /unknown topic/i.test(error.message);
}

/** Whether another broker may answer differently, because this one did not answer or knows too little about the cluster. */
export function mayDiffer(error: unknown): boolean {
  return !isUnknownTopic(error) && !(error instanceof KafkaSetupError);
}
