import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessRights, clusterResource, eachRegion, principalRoles } from '../../../contracts/access.ts';
import { loadConfig } from '../../../contracts/config/config.ts';
import { defaultAdminPort, type RoleName, roles } from '../../../contracts/roles.ts';
import { allTopics, subscriptions } from '../../../contracts/topics.ts';
import { environment, pods, type Resource, render } from './render.ts';
import { faultsOf } from './schemas.ts';
import { hasTools, toolsReady } from './tools.ts';

interface StrimziAcl {
  resource: { type: string; name?: string };
  operations: string[];
}

/** Every part on. */
const everything = {
  region: 'east',
  google: { project: 'p1', pushEndpoint: 'https://loyalty.example', pushServiceAccount: 'push@p1.example' },
  mirror: { enabled: true, source: { brokers: ['kafka.west:9093'] } },
  peerBrokers: ['kafka.west:9093'],
  database: { caSecret: { name: 'database-ca' } },
  identity: { jwksUrl: 'https://issuer.example/jwks.json' },
  roles: { gateway: { tlsSecret: 'gateway-tls' }, display: { tlsSecret: 'display-tls' } },
  monitoring: { runbookBaseUrl: 'https://runbooks.example' },
};

/** A Kafka of someone else's, without the operators. */
const plain = {
  kafka: { brokers: ['kafka:9092'], securityProtocol: 'PLAINTEXT', strimzi: { enabled: false } },
  scaling: { enabled: false },
  monitoring: { enabled: false },
  operator: { enabled: false },
  networkPolicy: { enabled: false },
  identity: { jwksSecret: 'ordermesh-jwks' },
};

const directory = mkdtempSync(path.join(tmpdir(), 'ordermesh-chart-'));
const secretFile = path.join(directory, 'secret');
const databaseFile = path.join(directory, 'database');
writeFileSync(secretFile, 'a-secret-of-at-least-32-characters');
writeFileSync(databaseFile, 'postgres://user:password@database/ordermesh');

/** The environment of a pod with files that exist here, where it names files of Secrets. */
function withFiles(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      if (!value.startsWith('/run/secrets/')) return [name, value];
      return [name, name === 'DATABASE_URL_FILE' ? databaseFile : secretFile];
    }),
  );
}

// Nothing here waits for the servers of the other tests. Helm is built beside them in continuous integration, which takes minutes.
describe.skipIf(!hasTools)('the Helm chart', () => {
  let all: Resource[];
  beforeAll(async () => {
    await toolsReady();
    all = await render(everything);
  }, 1_500_000);

  const named = (kind: string, name: string) =>
    all.find((resource) => resource.kind === kind && resource.metadata.name === name);
  const ofKind = (kind: string) => all.filter((resource) => resource.kind === kind);

  test.each([
    ['its default values', {}],
    ['everything on', everything],
    ['nothing but Kubernetes', plain],
  ])(
    'makes resources that their schemas know, with %s',
    async (_, values) => {
      expect(await faultsOf(await render(values))).toBe('');
    },
    240_000,
  );

  test('has its schemas in use: a field that none knows is a fault', async () => {
    for (const kind of ['Deployment', 'ScaledObject', 'PrometheusRule', 'KafkaUser', 'KafkaMirrorMaker2']) {
      const [resource] = structuredClone(ofKind(kind));
      if (resource === undefined) throw new Error(`the chart has no ${kind}`);
      if (kind === 'ScaledObject') resource.spec.maxReplicaCount = 'many';
      else if (kind === 'PrometheusRule') resource.spec.groups[0].rules[0].labels = 'page';
      else resource.spec.unheardOf = 1;
      expect(await faultsOf([resource])).not.toBe('');
    }
  }, 240_000);

  test('runs every role but the edge and the mirror, each on its admin port', () => {
    const running = roles.filter((role) => role !== 'edge' && role !== 'mirror');
    const deployed = ofKind('Deployment').map(({ metadata }) => metadata.name);
    expect(deployed.sort()).toEqual([...running, 'operator'].map((role) => `mesh-${role}`).sort());
    for (const role of running as RoleName[]) {
      const [container] = named('Deployment', `mesh-${role}`)?.spec.template.spec.containers ?? [];
      expect(container.ports).toContainEqual({ name: 'admin', containerPort: defaultAdminPort(role) });
      expect(container.startupProbe.httpGet).toEqual({ path: '/healthz', port: 'admin' });
      expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'admin' });
      expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'admin' });
    }
  });

  test('gives each pod variables that the configuration takes, and no secret as a value', async () => {
    for (const resources of [all, await render(plain), await render({ simulation: true })]) {
      for (const [name, pod] of pods(resources)) {
        const env = environment(pod);
        expect(() => loadConfig(withFiles(env)), name).not.toThrow();
        for (const variable of Object.keys(env)) expect(variable).not.toMatch(/(PASSWORD|TOKEN|SECRET|_URL)$/);
        const mounted = pod.containers[0].volumeMounts.map(({ mountPath }) => mountPath);
        for (const value of Object.values(env).filter((text) => text.startsWith('/run/secrets/')))
          expect(mounted).toContain(value.split('/').slice(0, 4).join('/'));
      }
    }
  });

  test('runs every pod without rights, and without variables of Services', () => {
    for (const [name, pod] of pods(all)) {
      expect(pod, name).toMatchObject({ enableServiceLinks: false, automountServiceAccountToken: false });
      expect(pod.securityContext, name).toMatchObject({ runAsNonRoot: true, runAsUser: 10_001 });
      expect(pod.containers[0].securityContext, name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('scales each group by its lag, up to the partitions', async () => {
    const scaled = await render({ ...everything, kafka: { partitions: 24 } });
    for (const { group, topic } of subscriptions) {
      const object = scaled.find(({ kind, metadata }) => kind === 'ScaledObject' && metadata.name === `mesh-${group}`);
      expect(object?.spec.maxReplicaCount).toBe(24);
      expect(object?.spec.triggers[0].metadata).toMatchObject({ consumerGroup: group, topic });
      const deployment = scaled.find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === `mesh-${group}`,
      );
      // A number here would undo what KEDA does at each upgrade.
      expect(deployment?.spec.replicas).toBeUndefined();
    }
  });

  test('declares every topic, and mirrors every topic', () => {
    expect(
      ofKind('KafkaTopic')
        .map(({ spec }) => spec.topicName)
        .sort(),
    ).toEqual([...allTopics].sort());
    const pattern = new RegExp(`^(${ofKind('KafkaMirrorMaker2')[0]?.spec.mirrors[0].topicsPattern})$`);
    for (const topic of allTopics) expect(topic).toMatch(pattern);
    expect('raw-orders.order-validatorXdlt').not.toMatch(pattern);
  });

  test('has a user of Kafka for each role that has one, with the rights of the table', () => {
    const users = ofKind('KafkaUser').map(({ metadata }) => metadata.name.replace(/^ordermesh-/, ''));
    expect(users.sort()).toEqual([...principalRoles, 'keda'].sort());
    for (const role of principalRoles) {
      const granted = named('KafkaUser', `ordermesh-${role}`)?.spec.authorization.acls as StrimziAcl[];
      const words = granted.flatMap(({ resource: { type, name }, operations }) =>
        operations.map((operation) => `${type} ${name ?? clusterResource} ${operation}`.toLowerCase()),
      );
      const wanted = accessRights[role].flatMap(({ resource, name, operations }) =>
        operations.map((operation) =>
          `${resource} ${name.replace(eachRegion, 'west')} ${operation.replaceAll('_', '')}`.toLowerCase(),
        ),
      );
      expect(new Set(words), role).toEqual(new Set(wanted));
    }
    for (const [, pod] of pods(all)) {
      const { KAFKA_SASL_USERNAME: user } = environment(pod);
      if (user !== undefined) expect(named('KafkaUser', user), user).toBeDefined();
    }
  });

  test('has a budget and a policy for each role, which select its pods', () => {
    for (const { metadata, spec } of ofKind('Deployment')) {
      if (metadata.name === 'mesh-operator') continue;
      const labels = spec.template.metadata.labels;
      for (const [kind, selector] of [
        ['PodDisruptionBudget', 'selector'],
        ['NetworkPolicy', 'podSelector'],
      ] as const)
        expect(labels, kind).toMatchObject(named(kind, metadata.name)?.spec[selector].matchLabels);
    }
  });

  test('alerts by the rules of a checkout, with links to the pages', () => {
    const [rules] = ofKind('PrometheusRule');
    const first = rules?.spec.groups[0].rules[0];
    expect(first.annotations.runbook_url).toMatch(/^https:\/\/runbooks\.example\/docs\/operations\//);
    expect(ofKind('ServiceMonitor')[0]?.spec.endpoints[0]).toMatchObject({ port: 'admin' });
  });

  test.each([
    ['kafka.brokers is empty', { kafka: { strimzi: { enabled: false } } }],
    ['mirror.source.brokers', { mirror: { enabled: true } }],
    ['securityProtocol', { kafka: { securityProtocol: 'TLS' } }],
    ['gatewayy', { roles: { gatewayy: {} } }],
  ])('refuses values that cannot work, and names %s', async (words, values) => {
    await expect(render(values)).rejects.toThrow(words);
  });
});
