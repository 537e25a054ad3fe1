// How Kafka's clients prove who they are: the settings, what they contradict, and both regions' sets of variables. Used by config.ts
// and kafka-cluster.ts.

import type { SaslMechanism, SecurityProtocol } from './kafka-protocols.ts';
import { type Secret, secretVariable } from './secret.ts';

/**
 * Plain data: it crosses thread boundaries. Secrets and files stay where they are, and are read for each new connection, so that a changed
 * one counts without a restart.
 */
export interface KafkaSecurity {
  readonly protocol: SecurityProtocol;
  readonly mechanism?: SaslMechanism | undefined;
  /** With OAUTHBEARER the client id. */
  readonly username?: string | undefined;
  /** With OAUTHBEARER the client secret. */
  readonly password?: Secret | undefined;
  /** Where OAUTHBEARER gets its tokens, with the grant of client credentials. */
  readonly tokenEndpoint?: string | undefined;
  readonly scope?: string | undefined;
  /** PEM. Without authorities, those of Node count. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export const usesSasl = ({ protocol }: KafkaSecurity) => protocol.startsWith('SASL_');
export const usesTls = ({ protocol }: KafkaSecurity) => protocol.endsWith('SSL');

const suffixes = {
  protocol: 'SECURITY_PROTOCOL',
  mechanism: 'SASL_MECHANISM',
  username: 'SASL_USERNAME',
  password: 'SASL_PASSWORD',
  tokenEndpoint: 'SASL_OAUTH_TOKEN_ENDPOINT_URL',
  scope: 'SASL_OAUTH_SCOPE',
  caFile: 'SSL_CA_FILE',
  certFile: 'SSL_CERT_FILE',
  keyFile: 'SSL_KEY_FILE',
} as const;

type Setting = keyof typeof suffixes;
type Prefix = 'KAFKA_' | 'ORDERMESH_PEER_KAFKA_';

/** The variables of both regions; a `Config` has them. */
type KafkaVariables = {
  readonly [Key in Setting as `${Prefix}${(typeof suffixes)[Key]}`]: KafkaSecurity[Key] | undefined;
};

/** What each setting is called where it comes from, for messages. */
export type SettingNames = Readonly<Record<Setting, string>>;

function namesOf(prefix: Prefix): SettingNames {
  return Object.fromEntries(Object.entries(suffixes).map(([key, suffix]) => [key, prefix + suffix])) as SettingNames;
}

function settingsOf(config: KafkaVariables, prefix: Prefix): Partial<KafkaSecurity> {
  const found = Object.entries(suffixes).map(([key, suffix]) => [key, config[`${prefix}${suffix}`]]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

/** Of this region. */
export function ownSecurity(config: KafkaVariables): KafkaSecurity {
  return { protocol: 'PLAINTEXT', ...settingsOf(config, 'KAFKA_') };
}

/** Of the other region: its own set of variables where its protocol is set, otherwise the same as this region's. */
export function peerSecurity(config: KafkaVariables): KafkaSecurity {
  const { protocol, ...settings } = settingsOf(config, 'ORDERMESH_PEER_KAFKA_');
  return protocol === undefined ? ownSecurity(config) : { protocol, ...settings };
}

/** The variables of this region that give a child process the same security. */
export function securityVariables(security: KafkaSecurity): Record<string, string> {
  const names = namesOf('KAFKA_');
  const variables = Object.entries(security).map(([key, value]): Record<string, string> => {
    const name = names[key as Setting];
    return typeof value === 'object' ? secretVariable(name, value) : value === undefined ? {} : { [name]: value };
  });
  return Object.assign({}, ...variables);
}

/** Contradictions in the sets of both regions, one line each. */
export function securityFaults(config: KafkaVariables): string[] {
  const peerNames = namesOf('ORDERMESH_PEER_KAFKA_');
  const faults = faultsOf(ownSecurity(config), namesOf('KAFKA_'));
  const { protocol, ...settings } = settingsOf(config, 'ORDERMESH_PEER_KAFKA_');
  if (protocol !== undefined) return [...faults, ...faultsOf({ protocol, ...settings }, peerNames)];
  const alone = (Object.keys(settings) as Setting[]).map((key) => peerNames[key]);
  return alone.length === 0
    ? faults
    : [...faults, `${alone.join(', ')} without ${peerNames.protocol}; with it the other region has a set of its own`];
}

const tlsSettings = ['caFile', 'certFile', 'keyFile'] as const;
const saslSettings = ['mechanism', 'username', 'password', 'tokenEndpoint', 'scope'] as const;

/** What is missing from the settings or contradicts them, one line each. */
export function faultsOf(security: KafkaSecurity, names: SettingNames): string[] {
  const { protocol, mechanism } = security;
  const has = (key: keyof KafkaSecurity) => security[key] !== undefined;
  const faults: string[] = [];
  const demand = (key: keyof KafkaSecurity, because: string) => {
    if (!has(key)) faults.push(`${names[key]} is not set; ${because} needs it`);
  };
  const refuse = (keys: readonly (keyof KafkaSecurity)[], because: string) => {
    for (const key of keys.filter(has)) faults.push(`${names[key]} is set, and ${because}`);
  };
  const own = `${names.protocol}=${protocol}`;
  if (usesSasl(security)) {
    demand('mechanism', own);
    demand('username', own);
    demand('password', own);
    if (mechanism === 'OAUTHBEARER') demand('tokenEndpoint', `${names.mechanism}=${mechanism}`);
    else refuse(['tokenEndpoint', 'scope'], `only ${names.mechanism}=OAUTHBEARER uses it`);
  } else refuse(saslSettings, `${own} uses no user; it takes SASL_SSL or SASL_PLAINTEXT with it`);
  if (usesTls(security)) {
    if (has('certFile')) demand('keyFile', names.certFile);
    if (has('keyFile')) demand('certFile', names.keyFile);
  } else refuse(tlsSettings, `${own} uses no TLS; it takes SSL or SASL_SSL with it`);
  return faults;
}
