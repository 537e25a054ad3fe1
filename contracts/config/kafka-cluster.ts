// How a Kafka cluster is reached: its brokers and its security. Every client of kafka/ takes one.

import { isLoopback } from '../loopback.ts';
import { type Config, ConfigError } from './config.ts';
import { type KafkaSecurity, ownSecurity, peerSecurity } from './kafka-security.ts';

/** A cluster and its security. Plain data: it crosses thread boundaries. */
export interface KafkaCluster {
  /** `host:port` of the bootstrap brokers. */
  readonly brokers: readonly string[];
  readonly security: KafkaSecurity;
}

/** For clusters without TLS and without users. */
export function plainCluster(brokers: readonly string[]): KafkaCluster {
  return { brokers, security: { protocol: 'PLAINTEXT' } };
}

/**
 * The cluster of this region.
 * @throws ConfigError when KAFKA_BROKERS is not set
 */
export function clusterOf(config: Config): KafkaCluster {
  const brokers = config.KAFKA_BROKERS;
  if (brokers === undefined)
    throw new ConfigError('KAFKA_BROKERS is not set; it takes host:port of the bootstrap brokers');
  return { brokers, security: ownSecurity(config) };
}

/** The cluster of the other region; `undefined` where there is one region. */
export function peerClusterOf(config: Config): KafkaCluster | undefined {
  const brokers = config.ORDERMESH_PEER_BROKERS;
  return brokers === undefined ? undefined : { brokers, security: peerSecurity(config) };
}

/** The host of a broker's `host:port`, an IPv6 address without its brackets. */
export function hostOf(broker: string): string {
  return broker.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

/** A password that everyone on the way can read, for a warning; `undefined` if there is none. */
export function readablePassword({ brokers, security }: KafkaCluster): string | undefined {
  if (security.protocol !== 'SASL_PLAINTEXT' || !['PLAIN', 'OAUTHBEARER'].includes(security.mechanism ?? ''))
    return undefined;
  const far = brokers.find((broker) => !isLoopback(hostOf(broker)));
  return far === undefined
    ? undefined
    : `the password for Kafka goes to ${far} in clear text: use SASL_SSL, or a SCRAM mechanism`;
}
