// Starts the Kafka of the stack, and says how a broker of a cluster is started. Used by stack.ts, the lab and a benchmark.

import { randomBytes } from 'node:crypto';
import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createAdmin } from '../../kafka/index.ts';
import { run } from '../commands.ts';
import { javaCommand, javaMissing } from '../java.ts';
import { type Part, portOf } from '../part.ts';
import { isPortFree } from '../ports.ts';
import type { ServerCommand } from '../servers.ts';
import { answersTcp } from '../tcp-check.ts';
import {
  type BrokerSecurity,
  brokerSecurity,
  clientSecurity,
  securityEnvironment,
  storageArguments,
} from './broker-security.ts';
import { kafkaClassPath } from './jars.ts';
import { type BrokerOptions, loggingProperties, serverProperties } from './properties.ts';

/**
 * The whole heap from the start, as Kafka's own script does: with 256 MiB the collector stopped it every 0.8 s at 38,000 orders/s, for 3 to 10 ms, with
 * 1 GiB every 3.3 s for about as long.
 * A fifth of the usual calls until a method is compiled: the broker's work on an order falls to a tenth by that, within 6 s of full load
 * instead of 24, for a start that takes half a second longer.
 */
const defaultHeap = ['-Xms1g', '-Xmx1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:CompileThresholdScaling=0.2'];

/** Length, then an ApiVersions request (key 18, version 0) with a correlation id and no client id: every broker answers it, before any login. */
const versionsQuestion = Uint8Array.of(0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff);

/** Apache Kafka, one node without ZooKeeper. Its cluster id is made once and kept with its data. */
export const kafka: Part = {
  name: 'kafka',
  title: 'Kafka',
  variable: 'KAFKA_BROKERS',
  portNames: ['kafka', 'kafka-controller'],
  async start({ config, directory, cacheDir, ports, servers }) {
    const port = portOf(ports, 'kafka');
    const controllerPort = portOf(ports, 'kafka-controller');
    const security =
      config.ORDERMESH_STACK_KAFKA === 'sasl-ssl' ? await brokerSecurity(path.join(directory, 'security')) : undefined;
    const command = await brokerCommand({ name: 'kafka', directory, cacheDir, port, controllerPort, security });
    const server = await servers.start(
      command,
      () => answers(port, security),
      (signal) => answersTcp(port, versionsQuestion, signal, security?.caFile),
    );
    const address = `127.0.0.1:${port}`;
    const environment = { KAFKA_BROKERS: address, ...securityEnvironment(security) };
    return { server, environment };
  },
};

export interface BrokerCommandOptions extends Omit<BrokerOptions, 'logDir'> {
  name: string;
  /** The node's own; it exists. */
  directory: string;
  cacheDir: string;
  /** The same for all nodes of a cluster; a new one by default. */
  clusterId?: string;
  /** Options of the Java machine. */
  heap?: readonly string[];
}

/** Writes a broker's configuration, formats its storage the first time, and says how it is started. */
export async function brokerCommand(options: BrokerCommandOptions): Promise<ServerCommand> {
  const { name, directory, cacheDir, clusterId = newClusterId(), heap = defaultHeap, ...broker } = options;
  const classPath = await kafkaClassPath(cacheDir);
  // A secured cluster has its users in its storage, so it does not share it with an open one.
  const logDir = path.join(directory, broker.security === undefined ? 'data' : 'data-sasl-ssl');
  const configuration = path.join(directory, 'server.properties');
  const logging = path.join(directory, 'log4j2.properties');
  await writeFile(configuration, serverProperties({ ...broker, logDir }));
  await writeFile(logging, loggingProperties());
  const java = [`-Dlog4j2.configurationFile=${logging}`, '-cp', classPath];
  const users = broker.security === undefined ? [] : storageArguments(broker.security);
  if (!(await isFormatted(logDir))) await format(java, configuration, directory, clusterId, users);
  return {
    name,
    command: javaCommand(),
    args: [...heap, ...java, 'kafka.Kafka', configuration],
    signal: 'SIGTERM',
    spawnOptions: { cwd: directory },
  };
}

/** Written last by the formatting tool. */
async function isFormatted(logDir: string): Promise<boolean> {
  return access(path.join(logDir, 'meta.properties')).then(
    () => true,
    () => false,
  );
}

async function format(
  java: string[],
  configuration: string,
  directory: string,
  clusterId: string,
  users: string[],
): Promise<void> {
  const tool = [
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId,
    '-c',
    configuration,
    '--ignore-formatted',
    ...users,
  ];
  await run(javaCommand(), ['-XX:TieredStopAtLevel=1', ...java, ...tool], {
    cwd: directory,
    doing: "formatting Kafka's storage",
    missing: javaMissing,
  });
}

/** Kafka writes ids as 16 bytes in URL-safe base64, and refuses those that look like an option. */
export function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

/** A client's call, once the port is open at all: the client itself retries slowly. @throws unless it is answered */
export async function answers(port: number, security?: BrokerSecurity): Promise<void> {
  if (await isPortFree(port)) throw new Error('it does not listen');
  const cluster = { brokers: [`127.0.0.1:${port}`], security: clientSecurity(security) };
  const admin = await createAdmin({ clientId: 'stack', cluster });
  try {
    await admin.listTopics();
  } finally {
    await admin.close();
  }
}
