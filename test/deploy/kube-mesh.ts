// Runs the pods that the Helm chart renders, with `podman kube play`: one region on the Kafka and the PostgreSQL of a test. Used by
// containers.release.test.ts.

import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { loadConfig } from '../../contracts/config/config.ts';
import { developmentIssuer, issueToken } from '../../gateway/identity/issuer.ts';
import { choosePorts } from '../../stack/ports.ts';
import { temporaryDirectory } from '../stack/support.ts';
import { imageTag } from './built-image.ts';
import { pods, type Resource, render } from './chart/render.ts';
import type { Podman } from './podman.ts';

const deployed = ['gateway', 'order-validator', 'payment', 'kitchen', 'display'] as const;
const POLL_MS = 100;
const adminToken = 'the-token-of-the-admin-ports-of-a-test';
const secrets = ['mesh-database', 'mesh-admin', 'mesh-jwks'] as const;

/** A Service beside the mesh, as Kubernetes describes it to pods that ask for such variables. */
const service = {
  ORDERMESH_GATEWAY_SERVICE_HOST: '10.0.0.1',
  ORDERMESH_GATEWAY_SERVICE_PORT: '8080',
  ORDERMESH_GATEWAY_SERVICE_PORT_HTTP: '8080',
  ORDERMESH_GATEWAY_PORT: 'tcp://10.0.0.1:8080',
  ORDERMESH_GATEWAY_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
  ORDERMESH_GATEWAY_PORT_8080_TCP_ADDR: '10.0.0.1',
  ORDERMESH_GATEWAY_PORT_8080_TCP_PORT: '8080',
  ORDERMESH_GATEWAY_PORT_8080_TCP_PROTO: 'tcp',
};

export class KubeMesh implements AsyncDisposable {
  readonly #podman: Podman;
  readonly #ports: Record<string, number>;
  #resources: Resource[] = [];
  token = '';

  private constructor(podman: Podman, ports: Record<string, number>) {
    this.#podman = podman;
    this.#ports = ports;
  }

  /** Renders the chart, and runs its jobs: the tables and the topics are there then. */
  static async prepare(podman: Podman, servers: { broker: string; databaseUrl: string }): Promise<KubeMesh> {
    const names = [...deployed.map((role) => `admin-${role}`), 'gateway', 'grpc', 'display'];
    const mesh = new KubeMesh(podman, (await choosePorts(names, {})) as Record<string, number>);
    try {
      await mesh.#prepare(servers);
      return mesh;
    } catch (error) {
      await mesh[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #prepare({ broker, databaseUrl }: { broker: string; databaseUrl: string }): Promise<void> {
    await using directory = await temporaryDirectory();
    const config = loadConfig({ ORDERMESH_DATA_DIR: directory.path });
    const { jwksFile } = await developmentIssuer(directory.path);
    this.token = await issueToken({ config, store: 'us-il-0001' });
    const urls = Object.fromEntries(
      ['intake', 'worker', 'display', 'operator', 'owner'].map((role) => [role, databaseUrl]),
    );
    await this.#podman.createSecret('mesh-database', urls);
    await this.#podman.createSecret('mesh-admin', { token: adminToken });
    await this.#podman.createSecret('mesh-jwks', { 'jwks.json': await readFile(jwksFile, 'utf8') });

    const own = Object.fromEntries(
      deployed.map((role) => [role, { env: { ORDERMESH_ADMIN_PORT: this.#port(`admin-${role}`) } }]),
    );
    this.#resources = await render({
      image: { repository: 'localhost/ordermesh', tag: imageTag, pullPolicy: 'Never' },
      kafka: {
        brokers: [broker],
        securityProtocol: 'PLAINTEXT',
        partitions: 4,
        replicationFactor: 1,
        minInsyncReplicas: 1,
        strimzi: { enabled: false },
      },
      database: { existingSecret: 'mesh-database' },
      admin: { existingSecret: 'mesh-admin' },
      identity: { jwksSecret: 'mesh-jwks', issuer: config.ORDERMESH_JWT_ISSUER },
      simulation: true,
      hostNetwork: true,
      scaling: { enabled: false },
      monitoring: { enabled: false },
      networkPolicy: { enabled: false },
      env: {
        ORDERMESH_SLOTS: 1,
        ORDERMESH_GATEWAY_PORT: this.#port('gateway'),
        ORDERMESH_GRPC_PORT: this.#port('grpc'),
        ORDERMESH_DISPLAY_PORT: this.#port('display'),
      },
      roles: own,
    });
    for (const job of ['mesh-migrate', 'mesh-topics']) await this.#runJob(job);
  }

  #port(name: string): number {
    return this.#ports[name] as number;
  }

  get gatewayUrl(): string {
    return `http://127.0.0.1:${this.#port('gateway')}`;
  }

  get displayUrl(): string {
    return `http://127.0.0.1:${this.#port('display')}`;
  }

  /** Resolves when each role's readiness probe, as the chart has it, answers. */
  async start(): Promise<void> {
    const names = [...deployed, 'operator'].map((role) => `mesh-${role}`);
    const documents = this.#resources
      .filter(({ kind, metadata }) => kind === 'Deployment' && names.includes(metadata.name))
      .map((deployment) => stringify(asPodmanTakesIt({ ...deployment, spec: { ...deployment.spec, replicas: 1 } })));
    await this.#podman.runWith(['kube', 'play'], documents.join('---\n'));
    await Promise.all(deployed.map((role) => this.#isReady(role)));
  }

  async #isReady(role: (typeof deployed)[number]): Promise<void> {
    const [, pod] = pods(this.#resources).find(([name]) => name === `mesh-${role}`) ?? [];
    const probe = pod?.containers[0].readinessProbe as { httpGet: { path: string } };
    const url = `http://127.0.0.1:${this.#port(`admin-${role}`)}${probe.httpGet.path}`;
    for (;;) {
      const status = await fetch(url).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 200) return;
      await delay(POLL_MS);
    }
  }

  /** A command line in the operator's pod. @returns its standard output */
  operate(...args: string[]): Promise<string> {
    return this.#podman.run(['exec', container('mesh-operator', 'operator'), 'ordermesh', ...args]);
  }

  logs(role: string): Promise<string> {
    return this.#podman.logs(container(`mesh-${role}`, role));
  }

  /** `podman kube play` knows no Job: its pod runs once. */
  async #runJob(name: string): Promise<void> {
    const job = this.#resources.find((resource) => resource.kind === 'Job' && resource.metadata.name === name);
    if (job === undefined) throw new Error(`the chart has no Job ${name}`);
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: job.spec.template.spec };
    await this.#podman.runWith(['kube', 'play'], stringify(asPodmanTakesIt(pod)));
    const [, short = ''] = /^mesh-(.+)$/.exec(name) ?? [];
    const code = (await this.#podman.run(['wait', `${name}-${short}`])).trim();
    const log = await this.#podman.logs(`${name}-${short}`);
    if (code !== '0') throw new Error(`${name} ended with ${code}:\n${log}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const role of [...deployed, 'operator'])
      this.#podman.runQuietly(['pod', 'rm', '--force', `mesh-${role}-pod-0`]);
    for (const name of ['mesh-migrate', 'mesh-topics']) this.#podman.runQuietly(['pod', 'rm', '--force', name]);
    for (const name of secrets) this.#podman.removeSecret(name);
  }
}

function container(deployment: string, name: string): string {
  return `${deployment}-pod-0-${name}`;
}

/**
 * The resource without its probes, which podman would run as `curl` inside the container, where there is none; the test asks them itself.
 * With the variables of a Service called ordermesh-gateway, which podman makes of no Service.
 */
function asPodmanTakesIt<T extends { kind: string; spec: unknown }>(resource: T): T {
  const copy = structuredClone(resource) as T & { spec: { template?: { spec: object } } };
  const spec = (copy.kind === 'Deployment' ? copy.spec.template?.spec : copy.spec) as {
    containers: Record<string, unknown>[];
  };
  for (const one of spec.containers) {
    // Ports of a pod in the network of its host are only names, which podman takes for mappings.
    delete one.ports;
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) delete one[probe];
    const env = one.env as { name: string; value: string }[];
    // A variable that the pod has itself comes later, and counts: so it is in Kubernetes.
    const inherited = Object.entries(service).map(([name, value]) => ({ name, value }));
    one.env = [...inherited.filter(({ name }) => !env.some((own) => own.name === name)), ...env];
  }
  return copy;
}
