import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { type KafkaSecurity, securityVariables } from '../../contracts/config/kafka-security.ts';
import { createKafkajsProducer, createProducer, KafkaRefusedError, readTopic } from '../../kafka/index.ts';
import { javaTools, runTool } from '../../lab/chaos/java-tools.ts';
import { userCacheDir } from '../../stack/cache.ts';
import { certificate } from '../../stack/certificates.ts';
import { choosePorts } from '../../stack/ports.ts';
import { temporaryDirectory } from '../stack/support.ts';
import { ordermesh } from '../support/ordermesh.ts';
import { type OwnBroker, startOwnBroker } from '../support/own-broker.ts';
import { clients, sendWith, topic } from './every-client.ts';
import { GroupMember } from './group-member.ts';
import { setScramPassword } from './scram-user.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

/* One broker that takes every mechanism: its listener with users those of SASL, another one certificates. */
const SECRET = 'a secret with "quotes" and \\';
const AUDIENCE = 'kafka';
const common = 'org.apache.kafka.common.security';
const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

let stack: AsyncDisposableStack;
let directory: string;
let broker: OwnBroker;
let issuer: { url: string; issued: number };
let securities: Record<Mechanism, KafkaSecurity>;
let certificatesPort: number;

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER', 'a certificate'] as const;
type Mechanism = (typeof mechanisms)[number];

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  directory = stack.use(await temporaryDirectory()).path;
  issuer = await startIssuer();
  const { certificates: port = 0 } = await choosePorts(['certificates'], {});
  certificatesPort = port;
  const authority = certificate('clients');
  const till = certificate('till', { by: authority, for: 'client' });
  const users = ['plain', 'scram', 'oauth', 'ordermesh-broker', 'ordermesh-admin'].map((user) => `User:${user}`);
  const quoted = `"${SECRET.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const of = (mechanism: string) => `listener.name.sasl_ssl.${mechanism}.sasl`;
  broker = stack.use(
    await startOwnBroker({
      isSecured: true,
      clientListeners: [{ name: 'CERTIFICATES', port, advertised: `127.0.0.1:${port}`, protocol: 'SSL' }],
      java: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${issuer.url}/keys`],
      settings: {
        'super.users': users.join(';'),
        'listener.name.sasl_ssl.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
        [`${of('plain')}.jaas.config`]: `${common}.plain.PlainLoginModule required user_plain=${quoted};`,
        [`${of('scram-sha-256')}.jaas.config`]: `${common}.scram.ScramLoginModule required;`,
        [`${of('oauthbearer')}.jaas.config`]: `${common}.oauthbearer.OAuthBearerLoginModule required;`,
        [`${of('oauthbearer')}.server.callback.handler.class`]: `${common}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
        [`${of('oauthbearer')}.oauthbearer.jwks.endpoint.url`]: `${issuer.url}/keys`,
        [`${of('oauthbearer')}.oauthbearer.expected.audience`]: AUDIENCE,
        'listener.name.certificates.ssl.client.auth': 'required',
        'listener.name.certificates.ssl.truststore.location': await file('clients.pem', authority.cert),
      },
    }),
  );
  const { caFile } = broker.cluster.security;
  const user = (username: string) => ({ username, password: { text: SECRET }, caFile });
  securities = {
    PLAIN: { protocol: 'SASL_SSL', mechanism: 'PLAIN', ...user('plain') },
    'SCRAM-SHA-256': { protocol: 'SASL_SSL', mechanism: 'SCRAM-SHA-256', ...user('scram') },
    OAUTHBEARER: {
      protocol: 'SASL_SSL',
      mechanism: 'OAUTHBEARER',
      ...user('oauth'),
      tokenEndpoint: `${issuer.url}/token`,
    },
    'a certificate': {
      protocol: 'SSL',
      caFile,
      certFile: await file('till.pem', till.cert),
      keyFile: await file('till.key', till.key),
    },
  };
  await setScramPassword(broker.cluster, 'SCRAM-SHA-256', 'scram', SECRET);
  await broker.createTopic(topic, 1);
});
afterAll(() => stack?.disposeAsync());

function clusterOf(mechanism: Mechanism, changes: Partial<KafkaSecurity> = {}): KafkaCluster {
  const address = mechanism === 'a certificate' ? `127.0.0.1:${certificatesPort}` : broker.address;
  return { brokers: [address], security: { ...securities[mechanism], ...changes } };
}

/** Rights of the role that writes this topic, by the command of an operator. */
async function grant(user: string): Promise<void> {
  const principals = await file('users.json', JSON.stringify({ gateway: user, kitchen: user }));
  const { code, stderr } = await ordermesh(['topics', 'apply', '--acls', '--principals', principals], {
    KAFKA_BROKERS: broker.address,
    ...securityVariables(broker.cluster.security),
  });
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

test('a user has no right until an operator grants it', async () => {
  const send = () => sendWith(createProducer, clusterOf('a certificate'));
  await expect(send()).rejects.toMatchObject({ name: 'KafkaRefusedError', reason: 'authorization' });
  await grant('User:CN=till');
  await vi.waitFor(send, { timeout: 30_000, interval: 200 });
});

describe.each(mechanisms)('with %s', (mechanism) => {
  test('both producers write, a reader and a member of a group read, and so does a Java client with every codec', async () => {
    const cluster = clusterOf(mechanism);
    const own = mechanism === 'a certificate' ? topic : `of-${mechanism.toLowerCase()}`;
    if (own !== topic) await broker.createTopic(own, 1);
    let sent = 0;
    for (const create of [createProducer, createKafkajsProducer]) {
      const producer = await create({ clientId: 'test', cluster, deadlineMs: 10_000 });
      await producer.send([{ topic: own, key: 'k', value: String(sent++) }]).finally(() => producer.close());
    }
    const tools = await javaTools({
      directory: path.join(directory, `java-${mechanism}`),
      cacheDir: await userCacheDir(loadConfig()),
      cluster,
    });
    for (const codec of codecs) {
      const records = ['--num-records', '50', '--record-size', '200', '--throughput', '-1'];
      const properties = ['--command-property', `compression.type=${codec}`, 'enable.idempotence=false'];
      await runTool(tools, 'ProducerPerformance', ['--topic', own, ...records, ...properties]);
      sent += 50;
    }
    const group = { cluster, groupId: 'validated-orders-kitchen', topics: [own] };
    if (mechanism !== 'a certificate') {
      await using member = await GroupMember.join('m', group);
      await vi.waitFor(() => expect(member.seen).toHaveLength(sent), { timeout: 30_000, interval: 50 });
    }
    // Beside these, the topic that the others share has what other tests wrote.
    const read: string[] = [];
    await readTopic({ cluster: broker.cluster, topic: own }, ({ value }) => void read.push(String(value)));
    if (own === topic) expect(read.length).toBeGreaterThanOrEqual(sent);
    else expect(read).toHaveLength(sent);
  });
});

test.each(clients)('%s is told that Kafka refuses it, whichever the mechanism', async (_, use) => {
  const wrong: [KafkaCluster, string][] = [
    [clusterOf('PLAIN', { password: { text: 'wrong' } }), 'authentication'],
    [clusterOf('SCRAM-SHA-256', { password: { text: 'wrong' } }), 'authentication'],
    [clusterOf('OAUTHBEARER', { password: { text: 'wrong' } }), 'authentication'],
    [clusterOf('a certificate', { certFile: undefined, keyFile: undefined }), 'tls'],
  ];
  for (const [cluster, reason] of wrong) {
    const error: unknown = await use(cluster).catch((thrown) => thrown);
    expect(error, cluster.security.mechanism ?? 'certificate').toBeInstanceOf(KafkaRefusedError);
    expect(error).toMatchObject({ reason });
  }
});

test('a token is asked for once and shared by all connections of a process', async () => {
  const before = issuer.issued;
  await Promise.all([1, 2, 3].map(() => sendWith(createProducer, clusterOf('OAUTHBEARER'))));
  expect(issuer.issued - before).toBeLessThanOrEqual(1);
});

async function file(name: string, text: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const at = path.join(directory, name);
  await writeFile(at, text, { mode: 0o600 });
  return at;
}

/** An issuer of tokens by the grant of client credentials (RFC 6749, 4.4), with its keys. */
async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const key = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const state = { url: '', issued: 0 };
  const server = createServer(async (request, response) => {
    if (request.url === '/keys') return response.end(JSON.stringify({ keys: [key] }));
    const [id, secret] = Buffer.from(String(request.headers.authorization).replace('Basic ', ''), 'base64')
      .toString()
      .split(':')
      .map(decodeURIComponent);
    if (id !== 'oauth' || secret !== SECRET) return response.writeHead(401).end();
    state.issued++;
    const token = await new SignJWT({ scope: 'kafka' })
      .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'JWT' })
      .setSubject(id)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey);
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 600 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(() => void server.close());
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}
