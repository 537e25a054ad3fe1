import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { aclsFor, applyAcls, applyTopics, createAdmin } from '../../kafka/index.ts';
import { createRegionTopic } from '../../region/region-state.ts';
import { userCacheDir } from '../../stack/cache.ts';
import { answers, brokerCommand } from '../../stack/kafka/broker.ts';
import {
  type BrokerSecurity,
  brokerSecurity,
  clientSecurity,
  passwordFile,
  principals,
  securityEnvironment,
} from '../../stack/kafka/broker-security.ts';
import { choosePorts } from '../../stack/ports.ts';
import { Servers } from '../../stack/servers.ts';
import { temporaryDirectory } from '../stack/support.ts';
import { testsAreSecured } from '../support/own-broker.ts';

export type Name = 'east' | 'west';

export interface TwoClusters extends AsyncDisposable {
  directory: string;
  kafka: Record<Name, KafkaCluster>;
  /** Both clusters, for a role in that region; as the user of that name where they are secured, otherwise as one who may do everything. */
  environment(region: Name, user?: string): Record<string, string>;
  /** What a regions file says of the region's Kafka, for a user with every right; absent where it is open. */
  kafkaOf(region: Name): object | undefined;
  /** Of a role in that region, with 2 partitions and free ports. */
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
  const security: Partial<Record<Name, BrokerSecurity>> = {};
  // Each with an authority and passwords of its own.
  if (testsAreSecured)
    for (const name of names) security[name] = await brokerSecurity(path.join(directory.path, `${name}-security`));
  const clusterOf = (name: Name): KafkaCluster => ({
    brokers: [`127.0.0.1:${ports[name]}`],
    security: clientSecurity(security[name]),
  });
  const kafka = { east: clusterOf('east'), west: clusterOf('west') };
  const environment = (region: Name, user?: string) => {
    const other = region === 'east' ? 'west' : 'east';
    const variables = (name: Name) => securityEnvironment(security[name], user);
    const peer = Object.entries(variables(other)).map(([name, value]) => [`ORDERMESH_PEER_${name}`, value]);
    return {
      KAFKA_BROKERS: kafka[region].brokers.join(','),
      ORDERMESH_PEER_BROKERS: kafka[other].brokers.join(','),
      ...variables(region),
      ...Object.fromEntries(peer),
    };
  };
  const kafkaOf = (region: Name) => {
    const own = security[region];
    if (own === undefined) return undefined;
    const { password: _, ...settings } = clientSecurity(own);
    return { ...settings, passwordFile: passwordFile(own.directory, settings.username ?? '') };
  };
  const config = (region: Name, more: Record<string, string> = {}) =>
    loadConfig({
      REGION: region,
      ...environment(region),
      ORDERMESH_DATA_DIR: path.join(directory.path, region),
      ORDERMESH_PARTITIONS: '2',
      ORDERMESH_ADMIN_PORT: '0',
      ORDERMESH_GATEWAY_PORT: '0',
      ORDERMESH_GRPC_PORT: '0',
      ORDERMESH_DISPLAY_PORT: '0',
      ORDERMESH_AUTH: 'off',
      ORDERMESH_SLOTS: '1',
      ORDERMESH_LOG_LEVEL: 'silent',
      ...more,
    });
  try {
    const cacheDir = await userCacheDir(loadConfig());
    await Promise.all(
      names.map(async (name) => {
        const own = path.join(directory.path, name);
        await mkdir(own);
        const [port = 0, controllerPort = 0] = [ports[name], ports[`${name}-controller`]];
        const command = await brokerCommand({
          name,
          directory: own,
          cacheDir,
          heap,
          port,
          controllerPort,
          security: security[name],
        });
        await servers.start(command, () => answers(port, security[name]));
        const admin = await createAdmin({ clientId: 'test', cluster: kafka[name] });
        await applyTopics(admin, config(name)).finally(() => admin.close());
        await createRegionTopic(kafka[name], 1);
        if (testsAreSecured) await applyAcls(kafka[name], aclsFor(principals(), names));
      }),
    );
  } catch (error) {
    await dispose();
    throw error;
  }
  return { directory: directory.path, kafka, environment, kafkaOf, config, [Symbol.asyncDispose]: dispose };
}
