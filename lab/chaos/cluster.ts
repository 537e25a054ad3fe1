// Starts the Kafka cluster of a chaos run. Called by system.ts.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import {
  answers,
  type BrokerSecurity,
  brokerCommand,
  clientSecurity,
  isPortFree,
  newClusterId,
  type ServerCommand,
  type Servers,
} from '../../stack/index.ts';
import { ManagedServer } from './managed-server.ts';
import { brokers, listenerName, portIn, proxyName, zones } from './topology.ts';

/** Small: three of them and everything else share two cores. */
const heap = ['-Xms128m', '-Xmx384m', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:TieredStopAtLevel=1'];

/** Of three small brokers: the controller fences a broker that is silent for 6 s, and moves its leaderships. */
export const clusterSettings = {
  'broker.session.timeout.ms': '6000',
  'broker.heartbeat.interval.ms': '1000',
  // A follower that is behind for longer leaves the in-sync replicas; the default is 30 s.
  'replica.lag.time.max.ms': '10000',
  'min.insync.replicas': '2',
  'num.network.threads': '1',
  'num.io.threads': '4',
};

const settings = {
  ...clusterSettings,
  // What the checker reads must still be there, compaction or not.
  'log.cleaner.enable': 'true',
  'log.cleaner.min.compaction.lag.ms': '86400000',
  'controlled.shutdown.enable': 'true',
};

export interface Cluster {
  /** Brokers by node id. */
  readonly nodes: ReadonlyMap<number, ManagedServer>;
  /** Without a proxy in between and with every right: for what watches and judges. */
  readonly direct: KafkaCluster;
}

/** Three nodes, each broker and controller. The clients of a zone are told its proxies' addresses. */
export async function startCluster(options: {
  directory: string;
  cacheDir: string;
  ports: Readonly<Record<string, number>>;
  servers: Servers;
  /** With it, every listener takes TLS and a user. */
  security: BrokerSecurity | undefined;
}): Promise<Cluster> {
  const { directory, cacheDir, ports, servers, security } = options;
  const clusterId = newClusterId();
  const controllers = new Map(brokers.map((id) => [id, portIn(ports, `controller-${id}`)]));
  const commandOf = async (id: number): Promise<ServerCommand> => {
    const own = path.join(directory, `broker-${id}`);
    await mkdir(own, { recursive: true });
    return brokerCommand({
      name: `broker-${id}`,
      directory: own,
      cacheDir,
      clusterId,
      heap,
      nodeId: id,
      port: portIn(ports, `broker-${id}`),
      controllerPort: portIn(ports, `controller-${id}`),
      controllers,
      clientListeners: zones.map((zone) => ({
        name: listenerName(zone),
        port: portIn(ports, `listener-${zone}-${id}`),
        advertised: `127.0.0.1:${portIn(ports, proxyName(zone, id))}`,
      })),
      security,
      settings,
    });
  };
  const nodes = await Promise.all(
    brokers.map(async (id) => {
      const command = await commandOf(id);
      const port = portIn(ports, `broker-${id}`);
      // Alone it has no quorum: whether it answers as a broker shows when the others are there.
      const serves = () => listens(port);
      return [id, await ManagedServer.start(servers, command, serves)] as const;
    }),
  );
  for (const id of brokers) await answers(portIn(ports, `broker-${id}`), security);
  const direct = brokers.map((id) => `127.0.0.1:${portIn(ports, `broker-${id}`)}`);
  return { nodes: new Map(nodes), direct: { brokers: direct, security: clientSecurity(security) } };
}

async function listens(port: number): Promise<void> {
  if (await isPortFree(port)) throw new Error('it does not listen');
}
