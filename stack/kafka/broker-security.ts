// Secures the brokers of the stack: an authority, the brokers' certificate, a user for each role, and what a broker's configuration says
// of them. Used by broker.ts, the lab and tests.

import { randomBytes } from 'node:crypto';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type PrincipalRole, principalRoles, principalsWith } from '../../contracts/access.ts';
import { type KafkaSecurity, securityVariables } from '../../contracts/config/kafka-security.ts';
import type { RoleName } from '../../contracts/roles.ts';
import { certificate } from '../certificates.ts';

/** May do everything: commands, tests and the stack itself use it. */
export const ADMIN = 'ordermesh-admin';
/** The brokers among themselves. */
const BROKER = 'ordermesh-broker';
const CERTIFICATE_DAYS = 3_650;

/** Files of a secured broker, and its users. */
export interface BrokerSecurity {
  directory: string;
  caFile: string;
  /** PEM: the brokers' key and their certificate chain. */
  keystoreFile: string;
  /** Passwords by user, as they were when the broker's storage was made. */
  users: Readonly<Record<string, string>>;
}

export function userOf(role: string): string {
  return `ordermesh-${role}`;
}

/** Makes the files the first time, and reads them later. */
export async function brokerSecurity(directory: string): Promise<BrokerSecurity> {
  const files = {
    directory,
    caFile: path.join(directory, 'ca.pem'),
    keystoreFile: path.join(directory, 'broker.pem'),
  };
  const usersFile = path.join(directory, 'users.json');
  if (!(await exists(usersFile))) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const authority = certificate('ordermesh-stack', { days: CERTIFICATE_DAYS });
    const broker = certificate('127.0.0.1', { by: authority, for: 'server', days: CERTIFICATE_DAYS });
    const users = [ADMIN, BROKER, ...principalRoles.map(userOf)].map((user) => [user, randomBytes(18).toString('hex')]);
    await secretFile(files.caFile, authority.cert);
    await secretFile(files.keystoreFile, broker.key + broker.cert);
    for (const [user = '', password = ''] of users) await secretFile(passwordFile(directory, user), password);
    await secretFile(usersFile, JSON.stringify(Object.fromEntries(users)));
  }
  return { ...files, users: JSON.parse(await readFile(usersFile, 'utf8')) };
}

function secretFile(file: string, text: string): Promise<void> {
  return writeFile(file, text, { mode: 0o600 });
}

export function passwordFile(directory: string, user: string): string {
  return path.join(directory, `${user}.password`);
}

/** How the user reaches such a broker; `undefined` is an open one. */
export function clientSecurity(security: BrokerSecurity | undefined, user = ADMIN): KafkaSecurity {
  if (security === undefined) return { protocol: 'PLAINTEXT' };
  const { directory, caFile } = security;
  const password = { file: passwordFile(directory, user) };
  return { protocol: 'SASL_SSL', mechanism: 'SCRAM-SHA-512', username: user, password, caFile };
}

/** The same as environment variables; none for an open broker. */
export function securityEnvironment(security: BrokerSecurity | undefined, user = ADMIN): Record<string, string> {
  return security === undefined ? {} : securityVariables(clientSecurity(security, user));
}

/** Of a role that is started beside the broker: its own user, where it has one. */
export function userEnvironment(kafkaDirectory: string, role: RoleName): Record<string, string> {
  if (!(principalRoles as readonly string[]).includes(role)) return {};
  const user = userOf(role);
  return {
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD_FILE: passwordFile(path.join(kafkaDirectory, 'security'), user),
  };
}

/** The users of all roles, as ACLs name them. */
export function principals(): Record<PrincipalRole, string> {
  return principalsWith(`User:${userOf('')}`);
}

/** Settings of a broker whose listeners, the controller's too, take TLS and a user. */
export function securitySettings(
  { keystoreFile, caFile, users }: BrokerSecurity,
  listeners: readonly string[],
): Record<string, string> {
  const password = users[BROKER] ?? '';
  const scram = `org.apache.kafka.common.security.scram.ScramLoginModule required username="${BROKER}" password="${password}";`;
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required username="${BROKER}" password="${password}" user_${BROKER}="${password}";`;
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystoreFile,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caFile,
    // Controllers cannot take users from the log that they themselves keep, so they know theirs by configuration.
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.controller.plain.sasl.jaas.config': plain,
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    ...Object.fromEntries(
      listeners.map((name) => [`listener.name.${name.toLowerCase()}.scram-sha-512.sasl.jaas.config`, scram]),
    ),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:${BROKER};User:${ADMIN}`,
  };
}

/** Arguments of Kafka's storage tool that put the users into a new cluster. */
export function storageArguments({ users }: BrokerSecurity): string[] {
  return Object.entries(users).flatMap(([name, password]) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${name},password=${password}]`,
  ]);
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
