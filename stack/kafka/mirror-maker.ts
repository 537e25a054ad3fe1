import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../contracts/config/config.ts';
import { settlesWithin } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import { userCacheDir } from '../cache.ts';
import { javaCommand } from '../java.ts';
import { type ServerCommand, Servers } from '../servers.ts';
import { kafkaClassPath } from './jars.ts';
import { loggingProperties } from './properties.ts';

const STOP_MS_MAX = 4_000;
const defaultHeap = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Writes MirrorMaker's configuration and says how it is started: Kafka's own program, in its dedicated mode. */
export async function mirrorMakerCommand(options: {
  name: string;
  /** Its own; created where it is missing. */
  directory: string;
  cacheDir: string;
  /** MirrorMaker's properties, as text. */
  properties: string;
  /** Name of the cluster that is copied into: MirrorMaker starts a worker for the other direction as well if it isn't told. */
  target: string;
  heap?: readonly string[];
}): Promise<ServerCommand> {
  const { name, directory, cacheDir, properties, target, heap = defaultHeap } = options;
  const classPath = await kafkaClassPath(cacheDir);
  await mkdir(directory, { recursive: true });
  const configuration = path.join(directory, 'mm2.properties');
  const logging = path.join(directory, 'log4j2.properties');
  // It has the passwords of both clusters.
  await writeFile(configuration, properties, { mode: 0o600 });
  await writeFile(logging, loggingProperties());
  const java = [`-Dlog4j2.configurationFile=${logging}`, ...allowedEndpoints(properties), '-cp', classPath];
  return {
    name,
    command: javaCommand(),
    args: [...heap, ...java, 'org.apache.kafka.connect.mirror.MirrorMaker', configuration, '--clusters', target],
    signal: 'SIGTERM',
    spawnOptions: { cwd: directory },
  };
}

/** Arguments of a Java machine whose Kafka clients have these properties: they ask no token endpoint that is not on this list. */
export function allowedEndpoints(properties: string): string[] {
  const endpoints = [...properties.matchAll(/token\.endpoint\.url=(.+)$/gm)].map(([, url]) => url);
  return endpoints.length === 0 ? [] : [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${endpoints.join(',')}`];
}

/** The last exception in the log of a Java program, without its package: the next start begins a new log. */
function lastException(file: string): string | undefined {
  try {
    return [...readFileSync(file, 'utf8').matchAll(/^(?:Caused by: )?(?:\w+\.)+(\w+(?:Exception|Error): .+)$/gm)].at(
      -1,
    )?.[1];
  } catch {
    // The reason without it names the file, which is not there either.
    return undefined;
  }
}

/** Starts MirrorMaker; it ends with this process, however that ends. */
export async function startMirrorMaker(options: {
  config: Config;
  directory: string;
  properties: string;
  onExit(reason: string): void;
}): Promise<{ stop(): Promise<void> }> {
  const { config, directory, properties, onExit } = options;
  const cacheDir = await userCacheDir(config);
  const command = await mirrorMakerCommand({
    name: 'mirror-maker',
    directory,
    cacheDir,
    properties,
    target: config.REGION,
  });
  const servers = new Servers(directory, (_name, reason) => {
    servers.close();
    const cause = lastException(path.join(directory, 'logs', 'mirror-maker.log'));
    onExit(cause === undefined ? reason : `${reason}: ${cause}`);
  });
  // MirrorMaker has no port to ask; the target cluster shows its progress.
  const server = await servers
    .start(command, async () => {})
    .catch((error: Error) => {
      // Otherwise the guard process of `servers` runs for as long as this process lives.
      servers.close();
      throw error;
    });
  return {
    async stop() {
      // MirrorMaker writes its progress every second. With a dead source its end in good order takes longer than a failover can wait.
      await settlesWithin(systemTimers, STOP_MS_MAX, server.stop());
      await server.stop('SIGKILL');
      servers.close();
    },
  };
}
