import { randomBytes } from 'node:crypto';
import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createAdmin } from '../../kafka/index.ts';
import { run } from '../commands.ts';
import { javaCommand, javaMissing } from '../java.ts';
import { type Part, portOf } from '../part.ts';
import { isPortFree } from '../ports.ts';
import { kafkaClassPath } from './jars.ts';
import { loggingProperties, serverProperties } from './properties.ts';

const heap = ['-Xms256m', '-Xmx1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'];

/** Apache Kafka, one node without ZooKeeper. Its cluster id is made once and kept with its data. */
export const kafka: Part = {
  name: 'kafka',
  title: 'Kafka',
  variable: 'KAFKA_BROKERS',
  portNames: ['kafka', 'kafka-controller'],
  async start({ directory, cacheDir, ports, servers }) {
    const port = portOf(ports, 'kafka');
    const classPath = await kafkaClassPath(cacheDir);
    const logDir = path.join(directory, 'data');
    const configuration = path.join(directory, 'server.properties');
    const logging = path.join(directory, 'log4j2.properties');
    const controllerPort = portOf(ports, 'kafka-controller');
    await writeFile(configuration, serverProperties({ port, controllerPort, logDir }));
    await writeFile(logging, loggingProperties());
    const java = [`-Dlog4j2.configurationFile=${logging}`, '-cp', classPath];
    if (!(await isFormatted(logDir))) await format(java, configuration, directory);

    const address = `127.0.0.1:${port}`;
    const server = await servers.start(
      {
        name: 'kafka',
        command: javaCommand(),
        args: [...heap, ...java, 'kafka.Kafka', configuration],
        signal: 'SIGTERM',
        spawnOptions: { cwd: directory },
      },
      () => answers(port),
    );
    return { server, environment: { KAFKA_BROKERS: address } };
  },
};

/** Written last by the formatting tool. */
async function isFormatted(logDir: string): Promise<boolean> {
  return access(path.join(logDir, 'meta.properties')).then(
    () => true,
    () => false,
  );
}

async function format(java: string[], configuration: string, directory: string): Promise<void> {
  const tool = ['kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', configuration, '--ignore-formatted'];
  await run(javaCommand(), ['-XX:TieredStopAtLevel=1', ...java, ...tool], {
    cwd: directory,
    doing: "formatting Kafka's storage",
    missing: javaMissing,
  });
}

/** Kafka writes ids as 16 bytes in URL-safe base64, and refuses those that look like an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

/** A client's call, once the port is open at all: the client itself retries slowly. */
async function answers(port: number): Promise<void> {
  if (await isPortFree(port)) throw new Error('it does not listen');
  const admin = await createAdmin({ clientId: 'stack', brokers: [`127.0.0.1:${port}`] });
  try {
    await admin.listTopics();
  } finally {
    await admin.close();
  }
}
