import { loadConfig } from '../../contracts/config/config.ts';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin } from '../../kafka/index.ts';
import { userCacheDir } from '../../stack/cache.ts';
import { answers, brokerCommand } from '../../stack/kafka/broker.ts';
import { choosePorts } from '../../stack/ports.ts';
import { Servers } from '../../stack/servers.ts';
import { temporaryDirectory } from '../stack/support.ts';

/** A broker that a test may stop, because no other test uses it. */
export interface OwnBroker extends AsyncDisposable {
  address: string;
  createTopic(topic: string, partitions: number): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** With its data, on its port. */
  restart(): Promise<void>;
}

const heap = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** @param settings further ones of the broker, by Kafka's names */
export async function startOwnBroker(settings: Readonly<Record<string, string>> = {}): Promise<OwnBroker> {
  const directory = await temporaryDirectory();
  const servers = new Servers(directory.path, () => {});
  const { broker: port = 0, controller: controllerPort = 0 } = await choosePorts(['broker', 'controller'], {});
  const cacheDir = await userCacheDir(loadConfig());
  const options = { name: 'broker', directory: directory.path, cacheDir, heap, port, controllerPort, settings };
  const start = async () => servers.start(await brokerCommand(options), () => answers(port));
  const address = `127.0.0.1:${port}`;
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
    async createTopic(topic, partitions) {
      const admin = await createAdmin({ clientId: 'test', cluster: plainCluster([address]) });
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
