import path from 'node:path';
import { loadConfig } from '../../contracts/config/config.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin } from '../../kafka/index.ts';
import { userCacheDir } from '../../stack/cache.ts';
import { answers, brokerCommand } from '../../stack/kafka/broker.ts';
import {
  type BrokerSecurity,
  brokerSecurity,
  clientSecurity,
  securityEnvironment,
} from '../../stack/kafka/broker-security.ts';
import type { ClientListener } from '../../stack/kafka/properties.ts';
import { choosePorts } from '../../stack/ports.ts';
import { Servers } from '../../stack/servers.ts';
import { temporaryDirectory } from '../stack/support.ts';

/** A broker that a test may stop, because no other test uses it. */
export interface OwnBroker extends AsyncDisposable {
  address: string;
  /** As a user who may do everything, where the broker is secured. */
  cluster: KafkaCluster;
  /** The same as variables of a role. */
  environment: Record<string, string>;
  /** The users of a secured broker, and the files of its clients. */
  security: BrokerSecurity | undefined;
  createTopic(topic: string, partitions: number): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** With its data, on its port. */
  restart(): Promise<void>;
}

/** Whether servers of tests take TLS and users: the same tests, run by `npm run test:secured`. */
export const testsAreSecured = process.env.ORDERMESH_STACK_KAFKA === 'sasl-ssl';

const heap = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export interface OwnBrokerOptions {
  /** Further settings of the broker, by Kafka's names. */
  settings?: Readonly<Record<string, string>>;
  /** Whether it takes TLS and a user; otherwise as the other servers of the run. */
  isSecured?: boolean;
  clientListeners?: readonly ClientListener[];
  /** Arguments of the Java machine. */
  java?: readonly string[];
}

export async function startOwnBroker(more: OwnBrokerOptions = {}): Promise<OwnBroker> {
  const { settings = {}, isSecured = testsAreSecured, clientListeners = [], java = [] } = more;
  const directory = await temporaryDirectory();
  const servers = new Servers(directory.path, () => {});
  const { broker: port = 0, controller: controllerPort = 0 } = await choosePorts(['broker', 'controller'], {});
  const cacheDir = await userCacheDir(loadConfig());
  const security = isSecured ? await brokerSecurity(path.join(directory.path, 'security')) : undefined;
  const options = {
    name: 'broker',
    directory: directory.path,
    cacheDir,
    heap: [...heap, ...java],
    port,
    controllerPort,
    security,
    clientListeners,
    settings,
  };
  const start = async () => servers.start(await brokerCommand(options), () => answers(port, security));
  const address = `127.0.0.1:${port}`;
  const cluster = { brokers: [address], security: clientSecurity(security) };
  const dispose = async () => {
    await servers.stopAll('SIGKILL');
    await directory[Symbol.asyncDispose]();
  };
  let server = await start().catch(async (error) => {
    await dispose();
    throw error;
  });
  const signal = (name: NodeJS.Signals) => {
    if (server.record.pid === undefined) throw new Error('the broker has no process');
    process.kill(server.record.pid, name);
  };
  return {
    address,
    cluster,
    environment: { KAFKA_BROKERS: address, ...securityEnvironment(security) },
    security,
    async createTopic(topic, partitions) {
      const admin = await createAdmin({ clientId: 'test', cluster });
      await admin.createTopics([{ topic, partitions, replicationFactor: 1 }]).finally(() => admin.close());
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    kill: () => server.stop('SIGKILL'),
    async restart() {
      server = await start();
    },
    [Symbol.asyncDispose]: dispose,
  };
}
