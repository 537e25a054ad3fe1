// Starts every host of the fleet and what runs on it. Called by main.ts, changed by scenario.ts.

import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import { issueToken } from '../../gateway/identity/index.ts';
import { newClusterId } from '../../stack/index.ts';
import { until } from '../../stack/system/index.ts';
import { runOrdermesh } from '../drill/operator.ts';
import { chainMenuFile } from '../traffic/chain.ts';
import { FleetHost, makeSwitch } from './host.ts';
import {
  allHosts,
  brokers,
  database,
  databaseUrl,
  display,
  gateways,
  type HostPlan,
  KEYS_FILE,
  kafkaBrokers,
  OFFICE,
  PREFIX_BITS,
  ports,
  rolesOf,
  workers,
} from './topology.ts';

const PREPARE_MS_MAX = 180_000;

export class Fleet {
  /** Of the office: what tills, watchers and the audit go by. */
  readonly config: ConnectedConfig;
  readonly #hosts: ReadonlyMap<string, FleetHost>;
  readonly #clusterId = newClusterId();
  readonly #seen = new Set<string>();

  private constructor(directory: string, cacheDir: string, say: (line: string) => void) {
    this.config = loadConfig({
      ...roleEnvironment(OFFICE),
      ORDERMESH_DATA_DIR: path.join(directory, 'office'),
    }) as ConnectedConfig;
    this.#hosts = new Map(allHosts.map((plan) => [plan.name, new FleetHost({ ...plan, directory, cacheDir, say })]));
  }

  /** A new fleet on empty disks: all hosts but the one that is added later. Resolves when every role is ready. */
  static async start(directory: string, cacheDir: string, say: (line: string) => void): Promise<Fleet> {
    for (const entry of await readdir(directory))
      if (entry !== 'stack.lock') await rm(path.join(directory, entry), { recursive: true });
    await makeSwitch(OFFICE);
    const fleet = new Fleet(directory, cacheDir, say);
    await mkdir(fleet.config.ORDERMESH_DATA_DIR);
    say('starting three brokers and the database, each on a host of its own');
    await Promise.all([...brokers, database].map((plan) => fleet.boot(plan)));
    await fleet.#prepare();
    say('starting two gateways, three hosts of workers and the display');
    // Host after host: all at once, each of a dozen processes would take as long as all of them.
    for (const plan of [...gateways, display, ...workers]) await fleet.boot(plan);
    await fleet.host(display).tell({ do: 'cook', seed: 1 });
    return fleet;
  }

  host({ name }: HostPlan): FleetHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }

  /** Hosts that are switched on. */
  get running(): FleetHost[] {
    return [...this.#hosts.values()].filter(({ isOn }) => isOn);
  }

  /** How many hosts took part so far. */
  get hostsSeen(): number {
    return this.#seen.size;
  }

  /** Switches a host on and starts what belongs to it. Resolves when it works. */
  async boot(plan: HostPlan): Promise<void> {
    const host = this.host(plan);
    await host.powerOn();
    this.#seen.add(plan.name);
    if (plan.kind === 'broker') {
      const quorum = brokers.map(({ address }) => address);
      const nodeId = brokers.indexOf(plan) + 1;
      await host.tell({ do: 'start-broker', nodeId, clusterId: this.#clusterId, quorum, address: plan.address });
    }
    if (plan.kind === 'database') {
      const from = `${OFFICE}/${PREFIX_BITS}`;
      await host.tell({ do: 'start-database', address: plan.address, from });
    }
    if (plan.kind === 'gateway') await this.#bringKeys(host);
    for (const { role, args } of rolesOf[plan.kind])
      await host.tell({ do: 'start-role', role, args, env: roleEnvironment(plan.address, plan.kind) });
    await host.tell({ do: 'await-roles' });
  }

  /** What each role of a running host says that it waits for. */
  async unready(): Promise<string[]> {
    const answers = this.running.map(async (host) =>
      (await host.tell({ do: 'ask-roles' })).map((line) => `${host.plan.name} ${line}`),
    );
    return (await Promise.all(answers)).flat();
  }

  /** Topics, tables and menu, as an operator makes them. Servers that have just started on busy cores may need more than one attempt. */
  async #prepare(): Promise<void> {
    await this.#operate('topics', 'apply');
    await this.#operate('menu', 'load', fileURLToPath(chainMenuFile));
  }

  async #operate(...command: string[]): Promise<void> {
    const env = { ...process.env, ...roleEnvironment(OFFICE), ORDERMESH_DATA_DIR: this.config.ORDERMESH_DATA_DIR };
    let failure = '';
    const works = await until(PREPARE_MS_MAX, () =>
      runOrdermesh(command, env).then(
        () => true,
        (error: Error) => {
          failure = error.message;
          return false;
        },
      ),
    );
    if (!works) throw new Error(`it does not work within ${PREPARE_MS_MAX / 1_000} s: ${failure}`);
  }

  /** The public keys of the issuer, as a deployment copies them to its gateways. The first token makes the issuer. */
  async #bringKeys(host: FleetHost): Promise<void> {
    await issueToken({ config: this.config, store: 'any' });
    await cp(path.join(this.config.ORDERMESH_DATA_DIR, 'issuer', 'jwks.json'), path.join(host.disk, KEYS_FILE));
  }
}

/** Only a gateway is reached from other hosts. */
function roleEnvironment(address: string, kind?: HostPlan['kind']): Record<string, string> {
  return {
    KAFKA_BROKERS: kafkaBrokers.join(','),
    DATABASE_URL: databaseUrl,
    ORDERMESH_SLOTS: '1',
    ORDERMESH_REPLICATION_FACTOR: '3',
    ORDERMESH_MIN_INSYNC_REPLICAS: '2',
    ORDERMESH_GATEWAY_PORT: String(ports.gateway),
    ORDERMESH_GRPC_PORT: String(ports.grpc),
    ORDERMESH_DISPLAY_PORT: String(ports.display),
    ...(kind === 'gateway' ? { ORDERMESH_HOST: address } : {}),
  };
}
