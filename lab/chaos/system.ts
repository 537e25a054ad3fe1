// Starts all servers and roles of a chaos run. Called by main.ts.

import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Config, type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import { reachableHost } from '../../contracts/local-url.ts';
import { aclsFor, applyAcls, applyTopics, withAdmin } from '../../kafka/index.ts';
import {
  brokerSecurity,
  choosePorts,
  databaseUser,
  lockDataDir,
  principals,
  Servers,
  securityEnvironment,
  urlAs,
  userCacheDir,
  userEnvironment,
} from '../../stack/index.ts';
import { loadMenu, migrateAt, withDatabase } from '../../store/index.ts';
import { withoutRepeats } from '../../telemetry/without-repeats.ts';
import { chainMenuFile } from '../traffic/chain.ts';
import { startCluster } from './cluster.ts';
import { type Database, startDatabase } from './database.ts';
import { type JavaTools, javaTools } from './java-tools.ts';
import type { WorkerZone } from './plan.ts';
import { Processes } from './processes.ts';
import { Subjects } from './subjects.ts';
import { brokers, portIn, portNames, proxyName, wireName, type Zone, zones } from './topology.ts';
import { toxiproxyBinary } from './toxiproxy/binary.ts';
import { startToxiproxy, type Toxiproxy } from './toxiproxy/server.ts';
import { Wire, type WireSecurity } from './wire/wire.ts';

export interface ChaosSystem {
  /** With the addresses without a proxy in between: for what watches and judges. */
  config: ConnectedConfig;
  display: URL;
  subjects: Subjects;
  tools: JavaTools;
  /** Stops the roles; the servers keep serving what they left behind. */
  stopRoles(): Promise<void>;
  close(): Promise<void>;
}

const ADMIN_PORTS = Array.from({ length: 9 }, (_, index) => `admin-${index}`);

/** Starts a new system in `directory`: three brokers, the database, the proxies and every role process. */
export async function startChaosSystem(options: {
  config: Config;
  directory: string;
  seed: number;
  say(line: string): void;
}): Promise<ChaosSystem> {
  const { directory, seed, say } = options;
  const unlock = await lockDataDir(directory);
  for (const entry of await readdir(directory)) {
    if (entry !== 'stack.lock') await rm(path.join(directory, entry), { recursive: true });
  }
  const ports = await choosePorts([...portNames(), ...ADMIN_PORTS], {});
  const servers = new Servers(directory, (name, reason) => say(`${name} is gone: ${reason}`));
  const cacheDir = await userCacheDir(options.config);
  let processes: Processes | undefined;
  let databaseServer: Database | undefined;
  const close = async () => {
    await processes?.stop();
    await databaseServer?.stop('fast');
    // Brokers that stop together in good order wait for each other. These are not started again.
    await servers.stopAll('SIGKILL');
    await unlock();
  };
  try {
    const binary = await toxiproxyBinary(cacheDir, say);
    say('starting three brokers, PostgreSQL and Toxiproxy');
    const own = async (name: string) => {
      await mkdir(path.join(directory, name), { recursive: true });
      return path.join(directory, name);
    };
    const isSecured = options.config.ORDERMESH_STACK_KAFKA === 'sasl-ssl';
    const security = isSecured ? await brokerSecurity(path.join(directory, 'security')) : undefined;
    const [cluster, database, network] = await Promise.all([
      startCluster({ directory, cacheDir, ports, servers, security }),
      startDatabase({
        config: options.config,
        directory: await own('postgres'),
        cacheDir,
        port: portIn(ports, 'postgres'),
        servers,
      }),
      startToxiproxy({ binary, port: portIn(ports, 'toxiproxy'), seed, servers }),
    ]);
    databaseServer = database;
    await createProxies(network, ports);
    const wires = await startWires(ports, security);
    const environment = (zone: Zone) => ({
      ...zoneEnvironment(zone, { directory, ports, databaseUrl: database.url }),
      ...securityEnvironment(security),
    });
    const direct = { KAFKA_BROKERS: cluster.direct.brokers.join(','), DATABASE_URL: database.url };
    const config = loadConfig({ ...environment('front'), ...direct }) as ConnectedConfig;
    await Promise.all([
      withAdmin(config, (admin) => applyTopics(admin, config)),
      isSecured ? applyAcls(cluster.direct, aclsFor(principals(), [config.REGION])) : undefined,
      migrateAt(urlAs(database.url, 'owner'), 'chaos').then(() =>
        withDatabase(config, async (sql) => loadMenu(sql, JSON.parse(await readFile(chainMenuFile, 'utf8')))),
      ),
    ]);
    say('starting the gateway, the display and two workers of each role');
    processes = new Processes({
      environment: (zone, role) => ({
        ...environment(zone),
        ...databaseUser(role, environment(zone).DATABASE_URL),
        ...(isSecured ? userEnvironment(directory, role) : {}),
      }),
      adminPorts: ADMIN_PORTS.map((name) => portIn(ports, name)),
      directory,
      host: reachableHost(config.ORDERMESH_ADMIN_HOST),
      onNote: withoutRepeats(say),
    });
    await processes.ready();
    const tools = await javaTools({ directory: await own('tools'), cacheDir, cluster: cluster.direct });
    const partitions = config.ORDERMESH_PARTITIONS;
    const clusterOf = (zone?: Zone) =>
      zone === undefined ? cluster.direct : { ...cluster.direct, brokers: zoneBrokers(zone, ports) };
    const subjects = new Subjects({ processes, database, network, wires, clusterOf, cluster, tools, partitions });
    return {
      config,
      display: new URL(`http://127.0.0.1:${portIn(ports, 'display')}`),
      subjects,
      tools,
      stopRoles: () => processes?.stop() ?? Promise.resolve(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createProxies(network: Toxiproxy, ports: Readonly<Record<string, number>>): Promise<void> {
  for (const zone of zones) {
    for (const id of brokers) {
      const name = proxyName(zone, id);
      const upstream = zone === 'front' ? listenerPort(zone, id, ports) : portIn(ports, wireName(zone, id));
      await network.create({ name, port: portIn(ports, name), upstreamPort: upstream });
    }
    const name = proxyName(zone, 'database');
    await network.create({ name, port: portIn(ports, name), upstreamPort: portIn(ports, 'postgres') });
  }
}

/** Between the proxies of the workers' zones and the brokers. They end with this process. */
async function startWires(
  ports: Readonly<Record<string, number>>,
  security: WireSecurity | undefined,
): Promise<Record<WorkerZone, Wire>> {
  const start = (zone: WorkerZone) =>
    Wire.start(
      brokers.map((id) => ({ port: portIn(ports, wireName(zone, id)), brokerPort: listenerPort(zone, id, ports) })),
      security,
    );
  return { 'workers-1': await start('workers-1'), 'workers-2': await start('workers-2') };
}

function listenerPort(zone: Zone, broker: number, ports: Readonly<Record<string, number>>): number {
  return portIn(ports, `listener-${zone}-${broker}`);
}

/** The addresses that a client in that zone knows. */
function zoneBrokers(zone: Zone, ports: Readonly<Record<string, number>>): string[] {
  return brokers.map((id) => `127.0.0.1:${portIn(ports, proxyName(zone, id))}`);
}

/** What a process in that zone is started with: it knows the proxies' addresses only. */
function zoneEnvironment(
  zone: Zone,
  {
    directory,
    ports,
    databaseUrl,
  }: { directory: string; ports: Readonly<Record<string, number>>; databaseUrl: string },
): NodeJS.ProcessEnv {
  const database = new URL(databaseUrl);
  database.port = String(portIn(ports, proxyName(zone, 'database')));
  return {
    // One thread a process: eight processes share the machine.
    ORDERMESH_SLOTS: '1',
    ...process.env,
    KAFKA_BROKERS: zoneBrokers(zone, ports).join(','),
    DATABASE_URL: database.href,
    ORDERMESH_DATA_DIR: directory,
    ORDERMESH_REPLICATION_FACTOR: '3',
    ORDERMESH_MIN_INSYNC_REPLICAS: '2',
    ORDERMESH_GATEWAY_PORT: String(portIn(ports, 'gateway')),
    ORDERMESH_GRPC_PORT: String(portIn(ports, 'grpc')),
    ORDERMESH_DISPLAY_PORT: String(portIn(ports, 'display')),
  };
}
