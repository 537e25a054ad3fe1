// How a Kafka cluster is reached: its brokers, and how clients prove who they are. Every client of kafka/ takes one.

import { type Config, ConfigError } from './config.ts';
import type { Secret } from './secret.ts';

export const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
export type SecurityProtocol = (typeof securityProtocols)[number];

export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;
export type SaslMechanism = (typeof saslMechanisms)[number];

/** A cluster and its security. Plain data: it crosses thread boundaries. */
export interface KafkaCluster {
  /** `host:port` of the bootstrap brokers. */
  readonly brokers: readonly string[];
  readonly security: KafkaSecurity;
}

/** Secrets and files stay where they are, and are read for each new connection, so that a changed one counts without a restart. */
export interface KafkaSecurity {
  readonly protocol: SecurityProtocol;
  readonly mechanism?: SaslMechanism | undefined;
  /** With OAUTHBEARER the client id. */
  readonly username?: string | undefined;
  /** With OAUTHBEARER the client secret. */
  readonly password?: Secret | undefined;
  /** Where OAUTHBEARER gets its tokens, by the grant of client credentials. */
  readonly tokenEndpoint?: string | undefined;
  readonly scope?: string | undefined;
  /** PEM files. Without authorities, those of Node count. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** For clusters without TLS and without passwords. */
export function plainCluster(brokers: readonly string[]): KafkaCluster {
  return { brokers, security: { protocol: 'PLAINTEXT' } };
}

/**
 * The cluster of this region.
 * @throws ConfigError when KAFKA_BROKERS is not set
 */
export function clusterOf({ KAFKA_BROKERS: brokers }: Config): KafkaCluster {
  if (brokers === undefined)
    throw new ConfigError('KAFKA_BROKERS is not set; it takes host:port of the bootstrap brokers');
  return plainCluster(brokers);
}

/** The cluster of the other region; `undefined` where there is one region. */
export function peerClusterOf({ ORDERMESH_PEER_BROKERS: brokers }: Config): KafkaCluster | undefined {
  return brokers === undefined ? undefined : plainCluster(brokers);
}
