import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '../../contracts/config/config.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin } from '../../kafka/index.ts';
import { kafkajsClient } from '../../kafka/kafkajs/kafkajs-client.ts';
import { userCacheDir } from '../../stack/cache.ts';
import { answers, brokerCommand, newClusterId } from '../../stack/kafka/broker.ts';
import { brokerSecurity, clientSecurity } from '../../stack/kafka/broker-security.ts';
import { choosePorts } from '../../stack/ports.ts';
import { Servers } from '../../stack/servers.ts';
import { temporaryDirectory } from '../stack/support.ts';
import { testsAreSecured } from './own-broker.ts';

/** A cluster in which each partition has one replica. The groups are on the first broker; the second one may be stopped. */
export interface TwoBrokers extends AsyncDisposable {
  /** The first broker, then the second. */
  cluster: KafkaCluster;
  /** @param leaders broker of each partition, 1 or 2 */
  createTopic(topic: string, leaders: readonly (1 | 2)[]): Promise<void>;
  /** The second broker: SIGSTOP, SIGCONT, SIGKILL, and a start with its data on its port. */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** A broker that is gone is listed with its partitions for this long: longer than kafkajs tries again before its client ends. */
const LISTED_MS = 40_000;
const heap = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export async function startTwoBrokers(): Promise<TwoBrokers> {
  const directory = await temporaryDirectory();
  const servers = new Servers(directory.path, () => {});
  const ports = await choosePorts(['first', 'second', 'controller'], {});
  const { first = 0, second = 0, controller = 0 } = ports;
  const cacheDir = await userCacheDir(loadConfig());
  const clusterId = newClusterId();
  const controllers = new Map([[1, controller]]);
  const security = testsAreSecured ? await brokerSecurity(path.join(directory.path, 'security')) : undefined;
  const clientsOf = (...ports: number[]): KafkaCluster => ({
    brokers: ports.map((port) => `127.0.0.1:${port}`),
    security: clientSecurity(security),
  });
  const of = async (name: string) => {
    const own = path.join(directory.path, name);
    await mkdir(own, { recursive: true });
    return { name, directory: own, cacheDir, heap, clusterId, controllerPort: controller, controllers, security };
  };
  const startFirst = async () =>
    servers.start(
      await brokerCommand({
        ...(await of('first')),
        port: first,
        settings: { 'offsets.topic.num.partitions': '1', 'broker.session.timeout.ms': String(LISTED_MS) },
      }),
      () => answers(first, security),
    );
  const startSecond = async () =>
    servers.start(
      await brokerCommand({
        ...(await of('second')),
        port: second,
        nodeId: 2,
        settings: {
          'process.roles': 'broker',
          listeners: `${security === undefined ? 'PLAINTEXT' : 'SASL_SSL'}://127.0.0.1:${second}`,
          'broker.heartbeat.interval.ms': '500',
        },
      }),
      () => answers(second, security),
    );
  const dispose = async () => {
    await servers.stopAll('SIGKILL');
    await directory[Symbol.asyncDispose]();
  };
  const admin = kafkajsClient({ clientId: 'test', cluster: clientsOf(first) }).admin();
  try {
    await startFirst();
    // A group is asked for while the first broker is alone, so the topic of the groups is there.
    await admin.connect();
    const limitAt = performance.now() + 60_000;
    const ask = () => admin.fetchOffsets({ groupId: 'any', topics: [] });
    while (!(await ask().then(Boolean, () => performance.now() > limitAt))) await delay(100);
    let server = await startSecond();
    const signal = (name: NodeJS.Signals) => {
      if (server.record.pid === undefined) throw new Error('the broker has no process');
      process.kill(server.record.pid, name);
    };
    return {
      cluster: clientsOf(first, second),
      async createTopic(topic, leaders) {
        const replicaAssignment = leaders.map((leader, partition) => ({ partition, replicas: [leader] }));
        await admin.createTopics({ waitForLeaders: false, topics: [{ topic, replicaAssignment }] });
        const ours = await createAdmin({ clientId: 'test', cluster: clientsOf(first) });
        while ((await ours.offsets(topic)).length < leaders.length) await delay(100);
        await ours.close();
      },
      freeze: () => signal('SIGSTOP'),
      thaw: () => signal('SIGCONT'),
      kill: () => server.stop('SIGKILL'),
      async restart() {
        server = await startSecond();
      },
      async [Symbol.asyncDispose]() {
        await admin.disconnect();
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
