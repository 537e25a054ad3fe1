import type { Config } from '../../contracts/config/config.ts';
import { limits } from '../../contracts/limits.ts';
import { allTopics, ownSettings } from '../../contracts/topics.ts';
import type { Admin, TopicSpec } from './admin.ts';

/**
 * How a topic differs from the configuration. A difference is only reported: a partition count cannot shrink, and raising it moves keys to
 * other partitions.
 */
export interface TopicDrift {
  topic: string;
  /** `partitions`, `replication.factor` or the name of a topic setting. */
  setting: string;
  actual: string;
  wanted: string;
}

export interface TopicsApplied {
  created: string[];
  existing: string[];
  drift: TopicDrift[];
}

/** The topics of the mesh with the settings that the configuration asks for. */
export function topicSpecs(config: Config, topics: readonly string[] = allTopics): TopicSpec[] {
  return topics.map((topic) => ({
    topic,
    partitions: config.ORDERMESH_PARTITIONS,
    replicationFactor: config.ORDERMESH_REPLICATION_FACTOR,
    config: {
      'min.insync.replicas': String(config.ORDERMESH_MIN_INSYNC_REPLICAS),
      'max.message.bytes': String(limits.kafkaBatchBytesMax),
      ...ownSettings[topic],
    },
  }));
}

/**
 * Creates the missing topics and reports how existing ones differ. Safe to run at any time, by several processes at once.
 * @throws KafkaUnavailableError on an outage, and `Error` naming the variable when the settings need more replicas than there are
 */
export async function applyTopics(admin: Admin, config: Config): Promise<TopicsApplied> {
  const { ORDERMESH_MIN_INSYNC_REPLICAS: inSync, ORDERMESH_REPLICATION_FACTOR: replicas } = config;
  if (inSync > replicas)
    throw new Error(
      `ORDERMESH_MIN_INSYNC_REPLICAS is ${inSync}, more than ORDERMESH_REPLICATION_FACTOR ${replicas}: nothing could ever be written`,
    );
  const specs = topicSpecs(config);
  const created = await admin.createTopics(specs);
  const existing = specs.filter(({ topic }) => !created.includes(topic));
  const drift = await topicDrift(admin, existing);
  return { created, existing: existing.map(({ topic }) => topic), drift };
}

/** How existing topics differ from their specification. A topic that does not exist is not listed. */
export async function topicDrift(admin: Admin, specs: readonly TopicSpec[]): Promise<TopicDrift[]> {
  const described = new Map((await admin.describeTopics(specs.map(({ topic }) => topic))).map((d) => [d.topic, d]));
  return specs.flatMap(({ topic, partitions, replicationFactor, config = {} }) => {
    const actual = described.get(topic);
    if (actual === undefined) return [];
    const settings: [string, string | undefined, string][] = [
      ['partitions', String(actual.partitions), String(partitions)],
      ['replication.factor', String(actual.replicationFactor), String(replicationFactor)],
      ...Object.entries(config).map(([name, wanted]): [string, string | undefined, string] => [
        name,
        actual.config[name],
        wanted,
      ]),
    ];
    return settings
      .filter(([, is, wanted]) => is !== wanted)
      .map(([setting, is, wanted]) => ({ topic, setting, actual: is ?? 'unset', wanted }));
  });
}
