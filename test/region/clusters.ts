import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import { type KafkaCluster, plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { applyTopics, createAdmin } from '../../kafka/index.ts';
import { createRegionTopic } from '../../region/region-state.ts';
import { userCacheDir } from '../../stack/cache.ts';
import { answers, brokerCommand } from '../../stack/kafka/broker.ts';
import { choosePorts } from '../../stack/ports.ts';
import { Servers } from '../../stack/servers.ts';
import { temporaryDirectory } from '../stack/support.ts';

export type Name = 'east' | 'west';

export interface TwoClusters extends AsyncDisposable {
  directory: string;
  kafka: Record<Name, KafkaCluster>;
  /** Of a role in that region, with 2 partitions, free ports and both clusters' addresses. */
  config(region: Name, environment?: Record<string, string>): Config;
}

const heap = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Two clusters of their own, since the topics of a region have fixed names; with the mesh's topics and `region-state`. */
export async function startTwoClusters(): Promise<TwoClusters> {
  const directory = await temporaryDirectory();
  const servers = new Servers(directory.path, () => {});
  const names = ['east', 'west'] as const;
  const ports = await choosePorts(
    names.flatMap((name) => [name, `${name}-controller`]),
    {},
  );
  const dispose = async () => {
    await servers.stopAll('SIGKILL');
    await directory[Symbol.asyncDispose]();
  };
  const kafka = Object.fromEntries(
    names.map((name) => [name, plainCluster([`127.0.0.1:${ports[name]}`])]),
  ) as TwoClusters['kafka'];
  const config = (region: Name, environment: Record<string, string> = {}) =>
    loadConfig({
      REGION: region,
      KAFKA_BROKERS: kafka[region].brokers.join(','),
      ORDERMESH_PEER_BROKERS: kafka[region === 'east' ? 'west' : 'east'].brokers.join(','),
      ORDERMESH_DATA_DIR: path.join(directory.path, region),
      ORDERMESH_PARTITIONS: '2',
      ORDERMESH_ADMIN_PORT: '0',
      ORDERMESH_GATEWAY_PORT: '0',
      ORDERMESH_GRPC_PORT: '0',
      ORDERMESH_DISPLAY_PORT: '0',
      ORDERMESH_AUTH: 'off',
      ORDERMESH_SLOTS: '1',
      ORDERMESH_LOG_LEVEL: 'silent',
      ...environment,
    });
  try {
    const cacheDir = await userCacheDir(loadConfig());
    await Promise.all(
      names.map(async (name) => {
        const own = path.join(directory.path, name);
        await mkdir(own);
        const [port = 0, controllerPort = 0] = [ports[name], ports[`${name}-controller`]];
        const command = await brokerCommand({ name, directory: own, cacheDir, heap, port, controllerPort });
        await servers.start(command, () => answers(port));
        const admin = await createAdmin({ clientId: 'test', cluster: kafka[name] });
        await applyTopics(admin, config(name)).finally(() => admin.close());
        await createRegionTopic(kafka[name], 1);
      }),
    );
  } catch (error) {
    await dispose();
    throw error;
  }
  return { directory: directory.path, kafka, config, [Symbol.asyncDispose]: dispose };
}
