// Makes the configuration of MirrorMaker. Called by mirror-role.ts and by the benchmark of the mirror.

import type { KafkaCluster } from '../contracts/config/kafka-cluster.ts';
import { allTopics, groups } from '../contracts/topics.ts';
import { javaClientProperties, propertyValue } from './mirror-security.ts';

export interface Region {
  name: string;
  cluster: KafkaCluster;
}

export interface MirrorOptions {
  from: Region;
  to: Region;
  replicationFactor: number;
}

/** Where MirrorMaker keeps, in the target, how far it has copied the source; Connect's own format and name. */
export function mirrorOffsetsTopic(source: string): string {
  return `mm2-offsets.${source}.internal`;
}

/**
 * Properties of a MirrorMaker 2 that mirrors the mesh's topics and the positions of its groups from one region to the other.
 *
 * Topics keep their names (IdentityReplicationPolicy), set on the source *and* on the checkpoint connector: with it on only one of them
 * the translated offsets are written for topics that don't exist. Groups synchronise only while they are empty in the target
 * (apache/kafka#11748), which a passive region's groups are.
 */
export function mirrorProperties({ from, to, replicationFactor }: MirrorOptions): string {
  const flow = `${from.name}->${to.name}`;
  const policy = 'org.apache.kafka.connect.mirror.IdentityReplicationPolicy';
  const properties: Record<string, string | number | boolean> = {
    clusters: `${from.name},${to.name}`,
    [`${from.name}.bootstrap.servers`]: from.cluster.brokers.join(','),
    [`${to.name}.bootstrap.servers`]: to.cluster.brokers.join(','),
    [`${flow}.enabled`]: true,
    [`${to.name}->${from.name}.enabled`]: false,
    [`${flow}.topics`]: allTopics.map(escapePattern).join('|'),
    [`${flow}.groups`]: Object.values(groups).map(escapePattern).join('|'),
    ...securityOf(from),
    ...securityOf(to),
    'replication.policy.class': policy,
    [`${flow}.source.connector.replication.policy.class`]: policy,
    [`${flow}.checkpoint.connector.replication.policy.class`]: policy,
    'replication.factor': replicationFactor,
    'checkpoints.topic.replication.factor': replicationFactor,
    'heartbeats.topic.replication.factor': replicationFactor,
    'offset-syncs.topic.replication.factor': replicationFactor,
    // A source that is gone must not keep the translation of offsets.
    'offset-syncs.topic.location': 'target',
    'offset.storage.replication.factor': replicationFactor,
    'status.storage.replication.factor': replicationFactor,
    'config.storage.replication.factor': replicationFactor,
    'offset.storage.partitions': 1,
    'status.storage.partitions': 1,
    // Beginning as its topics do, so that one right covers them.
    [`${to.name}.group.id`]: `mm2-${from.name}`,
    // How often the progress is written; a minute by default.
    [`${to.name}.offset.flush.interval.ms`]: 1_000,
    // Do not wait for a worker that was killed: by default nothing would be copied for five minutes.
    [`${to.name}.scheduled.rebalance.max.delay.ms`]: 0,
    // Without it every start looks through all jars.
    [`${to.name}.plugin.discovery`]: 'service_load',
    'sync.group.offsets.enabled': true,
    'sync.group.offsets.interval.seconds': 2,
    'emit.checkpoints.interval.seconds': 2,
    'refresh.topics.interval.seconds': 10,
    'refresh.groups.interval.seconds': 10,
    'sync.topic.acls.enabled': false,
    'offset.lag.max': 10,
    'dedicated.mode.enable.internal.rest': false,
  };
  return `${Object.entries(properties)
    .map(([name, value]) => `${name}=${propertyValue(value)}`)
    .join('\n')}\n`;
}

/** MirrorMaker's clients take the settings of a cluster by its name. */
function securityOf({ name, cluster }: Region): Record<string, string> {
  const entries = Object.entries(javaClientProperties(cluster.security));
  return Object.fromEntries(entries.map(([property, value]) => [`${name}.${property}`, value]));
}

function escapePattern(name: string): string {
  return name.replaceAll('.', '\\.');
}
