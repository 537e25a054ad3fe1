// Starts, kills and restarts a whole region of the drill. Created by system.ts, used by main.ts.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import {
  answers,
  brokerCommand,
  copyAsStandby,
  portOf,
  type Server,
  type Servers,
  startPostgres,
} from '../../stack/index.ts';
import { RoleProcess, until } from '../../stack/system/index.ts';
import type { AdminAddress } from '../chaos/liveness/admin-pages.ts';
import { hostOf, type RegionName, type RegionRole, regionRoles } from './topology.ts';

/** Small: two of them, a mirror and everything else share two cores. */
const brokerHeap = ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const smallDatabase = { shared_buffers: '64MB', maintenance_work_mem: '32MB', max_connections: '100' };

const commands: Readonly<Record<RegionRole, string[]>> = {
  gateway: ['gateway'],
  'order-validator': ['worker', 'order-validator'],
  payment: ['worker', 'payment'],
  kitchen: ['worker', 'kitchen'],
  display: ['display'],
  mirror: ['region', 'mirror'],
};

const LIVES_MS_MAX = 60_000;

export interface RegionOptions {
  name: RegionName;
  peer: RegionName;
  /** Of the drill; the region's own is below it. */
  directory: string;
  cacheDir: string;
  ports: Readonly<Record<string, number>>;
  ledgerUrl: string;
  servers: Servers;
  say(line: string): void;
}

/** One region: a Kafka cluster, a database, its roles and its mirror. All of it can be killed at once, and come back. */
export class DrillRegion {
  readonly name: RegionName;
  readonly #options: RegionOptions;
  readonly #servers = new Map<'kafka' | 'postgres', Server>();
  #roles: RoleProcess[] = [];
  #starts = 0;

  constructor(options: RegionOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get brokers(): string[] {
    return [`127.0.0.1:${this.#port('kafka')}`];
  }

  get databaseUrl(): string {
    return `postgres://postgres:ordermesh@127.0.0.1:${this.#port('postgres')}/ordermesh`;
  }

  get display(): URL {
    return new URL(`http://${hostOf[this.name]}:${this.#port('display')}`);
  }

  /** Of every role. */
  get adminAddresses(): AdminAddress[] {
    const { name } = this;
    return regionRoles.map((role) => ({
      name: `${name}-${role}`,
      role,
      url: `http://${hostOf[name]}:${this.#port(`admin-${role}`)}`,
    }));
  }

  /** Process id of its mirror's role. */
  get mirrorPid(): number | undefined {
    return this.#roles.find(({ role }) => role === 'mirror')?.pid;
  }

  /** For what watches and judges. */
  get config(): ConnectedConfig {
    return loadConfig(this.environment()) as ConnectedConfig;
  }

  environment(): NodeJS.ProcessEnv {
    const { directory, ports, peer, ledgerUrl } = this.#options;
    return {
      ...process.env,
      // One thread a process: more than a dozen of them share the machine.
      ORDERMESH_SLOTS: '1',
      ORDERMESH_HOST: hostOf[this.name],
      ORDERMESH_ADMIN_HOST: hostOf[this.name],
      ORDERMESH_DATA_DIR: directory,
      ORDERMESH_GATEWAY_PORT: String(portOf(ports, 'gateway')),
      ORDERMESH_GRPC_PORT: String(this.#port('grpc')),
      ORDERMESH_DISPLAY_PORT: String(this.#port('display')),
      ORDERMESH_PEER_BROKERS: `127.0.0.1:${portOf(ports, `${peer}-kafka`)}`,
      ORDERMESH_PAYMENT_LEDGER_URL: ledgerUrl,
      KAFKA_BROKERS: this.brokers.join(','),
      DATABASE_URL: this.databaseUrl,
      REGION: this.name,
    };
  }

  /** On the data that is there. */
  async startKafka(): Promise<void> {
    const { cacheDir, servers } = this.#options;
    const directory = await this.#own('kafka');
    const command = await brokerCommand({
      name: `${this.name}-kafka-${++this.#starts}`,
      directory,
      cacheDir,
      heap: brokerHeap,
      port: this.#port('kafka'),
      controllerPort: this.#port('controller'),
    });
    this.#servers.set('kafka', await servers.start(command, () => answers(this.#port('kafka'))));
  }

  async startDatabase(): Promise<void> {
    await this.#startPostgres({});
  }

  /** Makes its database a standby of the other region's, from a fresh base backup. */
  async followDatabaseOf(other: DrillRegion): Promise<void> {
    const [directory, from] = await Promise.all([this.#own('postgres'), other.#own('postgres')]);
    const port = other.#port('postgres');
    await copyAsStandby({ directory: from, port }, directory);
    await this.#startPostgres({ standbyOf: port });
  }

  async #startPostgres(standby: { standbyOf?: number }): Promise<void> {
    const { servers } = this.#options;
    const name = `${this.name}-postgres-${++this.#starts}`;
    const directory = await this.#own('postgres');
    const port = this.#port('postgres');
    const started = await startPostgres({ name, directory, port, servers, settings: smallDatabase, ...standby });
    this.#servers.set('postgres', started.server);
  }

  /** Starts every role; those of a passive region wait. Resolves when each answers. */
  async startRoles(): Promise<void> {
    const { directory, ports, say } = this.#options;
    const host = hostOf[this.name];
    this.#roles = regionRoles.map((role) => {
      const adminPort = portOf(ports, `${this.name}-admin-${role}`);
      const own = role === 'mirror' ? { ORDERMESH_DATA_DIR: path.join(directory, this.name) } : {};
      return new RoleProcess({
        role,
        name: `${this.name}-${role}-${++this.#starts}`,
        args: commands[role],
        env: { ...this.environment(), ...own, ORDERMESH_ADMIN_PORT: String(adminPort) },
        host,
        adminPort,
        background: false,
        logDirectory: path.join(directory, 'logs'),
        onNote: say,
      });
    });
    const lives = (role: RegionRole) =>
      fetch(`http://${host}:${portOf(ports, `${this.name}-admin-${role}`)}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    const alive = await until(LIVES_MS_MAX, async () => (await Promise.all(regionRoles.map(lives))).every(Boolean));
    if (!alive) throw new Error(`not every role of ${this.name} lives after ${LIVES_MS_MAX / 1_000} s`);
  }

  /** Waits until the roles work, which they do in the active region only. */
  async ready(): Promise<void> {
    await Promise.all(this.#roles.map((role) => role.ready()));
  }

  /** kill -9 of everything, at once. */
  async kill(): Promise<void> {
    for (const role of this.#roles) role.kill(Number.POSITIVE_INFINITY);
    await Promise.all([...this.#servers.values()].map((server) => server.stop('SIGKILL')));
    this.#servers.clear();
    await Promise.all(this.#roles.map((role) => role.stop()));
    this.#roles = [];
  }

  async stopRoles(): Promise<void> {
    await Promise.all(this.#roles.map((role) => role.stop()));
    this.#roles = [];
  }

  async stopDatabase(): Promise<void> {
    await this.#servers.get('postgres')?.stop();
    this.#servers.delete('postgres');
  }

  #port(name: string): number {
    return portOf({ ...this.#options.ports }, `${this.name}-${name}`);
  }

  async #own(part: string): Promise<string> {
    const own = path.join(this.#options.directory, this.name, part);
    await mkdir(own, { recursive: true });
    return own;
  }
}
