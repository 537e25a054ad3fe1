import { expect, test } from 'vitest';
import { loadConfig } from '../../../contracts/config/config.ts';
import { clusterOf, peerClusterOf, readablePassword } from '../../../contracts/config/kafka-cluster.ts';

const user = { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'till', KAFKA_SASL_PASSWORD: 'open sesame' };

test.each([
  [
    { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' },
    /KAFKA_SASL_MECHANISM is not set.*\nKAFKA_SASL_USERNAME is not set.*\nKAFKA_SASL_PASSWORD/,
  ],
  [{ KAFKA_SASL_USERNAME: 'till' }, 'KAFKA_SASL_USERNAME is set, and KAFKA_SECURITY_PROTOCOL=PLAINTEXT uses no user'],
  [
    { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CERT_FILE: 'c.pem' },
    'KAFKA_SSL_KEY_FILE is not set; KAFKA_SSL_CERT_FILE needs it',
  ],
  [
    { KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT', ...user, KAFKA_SSL_CA_FILE: 'ca.pem' },
    'KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT uses no TLS',
  ],
  [
    { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...user, KAFKA_SASL_MECHANISM: 'OAUTHBEARER' },
    'KAFKA_SASL_OAUTH_TOKEN_ENDPOINT_URL is not set',
  ],
  [
    { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...user, KAFKA_SASL_OAUTH_SCOPE: 's' },
    'only KAFKA_SASL_MECHANISM=OAUTHBEARER uses it',
  ],
  [
    { ORDERMESH_PEER_KAFKA_SASL_USERNAME: 'till' },
    'ORDERMESH_PEER_KAFKA_SASL_USERNAME without ORDERMESH_PEER_KAFKA_SECURITY_PROTOCOL',
  ],
  [{ ORDERMESH_PEER_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' }, 'ORDERMESH_PEER_KAFKA_SASL_PASSWORD is not set'],
])('refuses %o', (env, message) => {
  expect(() => loadConfig(env)).toThrow(message);
});

const brokers = { KAFKA_BROKERS: 'a:1', ORDERMESH_PEER_BROKERS: 'b:1' };
const secured = { ...brokers, KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...user };

test('the other region has the settings of this one, or a whole set of its own', () => {
  const own = clusterOf(loadConfig(secured)).security;
  expect(own).toEqual({
    protocol: 'SASL_SSL',
    mechanism: 'PLAIN',
    username: 'till',
    password: { text: 'open sesame' },
  });
  expect(peerClusterOf(loadConfig(secured))).toEqual({ brokers: ['b:1'], security: own });
  const apart = loadConfig({ ...secured, ORDERMESH_PEER_KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT' });
  expect(peerClusterOf(apart)).toEqual({ brokers: ['b:1'], security: { protocol: 'PLAINTEXT' } });
});

test('a cluster crosses to a thread as it is', () => {
  const cluster = clusterOf(loadConfig(secured));
  expect(structuredClone(cluster)).toEqual(cluster);
});

test.each([
  ['SASL_PLAINTEXT', 'PLAIN', 'kafka.example.com:9092', true],
  ['SASL_PLAINTEXT', 'PLAIN', '127.0.0.1:9092', false],
  ['SASL_PLAINTEXT', 'SCRAM-SHA-512', 'kafka.example.com:9092', false],
  ['SASL_SSL', 'PLAIN', 'kafka.example.com:9092', false],
])('%s with %s to %s: everyone can read the password: %s', (protocol, mechanism, broker, readable) => {
  const env = { ...user, KAFKA_SECURITY_PROTOCOL: protocol, KAFKA_SASL_MECHANISM: mechanism, KAFKA_BROKERS: broker };
  expect(readablePassword(clusterOf(loadConfig(env))) !== undefined).toBe(readable);
});
