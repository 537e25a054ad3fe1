// How MirrorMaker proves who it is to each cluster. Used by mirror-config.ts.

import { readFileSync } from 'node:fs';
import { type KafkaSecurity, usesSasl, usesTls } from '../contracts/config/kafka-security.ts';
import { secretText } from '../contracts/config/secret.ts';

const modules = 'org.apache.kafka.common.security';

/**
 * Properties of Kafka's Java clients, without the name of the cluster. The password and the PEM files are read now: MirrorMaker itself does
 * not read them again, and gets the new ones when it is started again, as it is after it has failed.
 */
export function javaClientProperties(security: KafkaSecurity): Record<string, string> {
  if (security.protocol === 'PLAINTEXT') return {};
  return {
    'security.protocol': security.protocol,
    ...(usesTls(security) ? tlsProperties(security) : {}),
    ...(usesSasl(security) ? saslProperties(security) : {}),
  };
}

function tlsProperties({ caFile, certFile, keyFile }: KafkaSecurity): Record<string, string> {
  const pem = (file: string) => readFileSync(file, 'utf8').trim();
  const trust =
    caFile === undefined ? {} : { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': pem(caFile) };
  if (certFile === undefined || keyFile === undefined) return trust;
  return {
    ...trust,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': pem(certFile),
    'ssl.keystore.key': pem(keyFile),
  };
}

function saslProperties(security: KafkaSecurity): Record<string, string> {
  const { mechanism = 'PLAIN', username = '', password = { text: '' }, tokenEndpoint = '', scope } = security;
  const own = { 'sasl.mechanism': mechanism };
  const secret = quoted(secretText(password));
  if (mechanism === 'OAUTHBEARER') {
    const asked = scope === undefined ? '' : ` scope=${quoted(scope)}`;
    return {
      ...own,
      'sasl.oauthbearer.token.endpoint.url': tokenEndpoint,
      'sasl.login.callback.handler.class': `${modules}.oauthbearer.OAuthBearerLoginCallbackHandler`,
      'sasl.jaas.config': `${modules}.oauthbearer.OAuthBearerLoginModule required clientId=${quoted(username)} clientSecret=${secret}${asked};`,
    };
  }
  const module = mechanism === 'PLAIN' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule';
  return {
    ...own,
    'sasl.jaas.config': `${modules}.${module} required username=${quoted(username)} password=${secret};`,
  };
}

/** A value in JAAS's own quotes. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A value in the format of Java's properties, where a backslash begins an escape and a line ends a value. */
export function propertyValue(value: string | number | boolean): string {
  return String(value).replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
