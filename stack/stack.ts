import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../contracts/config.ts';
import type { Logger } from '../telemetry/logger.ts';
import { bigquery } from './bigquery/emulator.ts';
import { defaultCacheDir } from './cache.ts';
import { kafka } from './kafka/broker.ts';
import type { Part, PartContext } from './part.ts';
import { choosePorts } from './ports.ts';
import { postgres } from './postgres/server.ts';
import { endProcess } from './process-identity.ts';
import { pubsub } from './pubsub/emulator.ts';
import { findPubsubJar, pubsubMissing } from './pubsub/jar.ts';
import { type Server, Servers } from './servers.ts';
import { lockDataDir, readState, type StackState, writeState } from './state.ts';

const LEFTOVER_LIMIT_MS = 15_000;

export interface StackOptions {
  /** One line for people per part: what starts, what serves, what is off and why. */
  onProgress?: (line: string) => void;
  /** Where downloads are kept; the project's `.cache/` by default. */
  cacheDir?: string;
  /** Where a gcloud with the Pub/Sub emulator may be; the one on the PATH and the usual places by default. */
  gcloudInstallations?: string[];
}

/** Everything the roles need to run, started here or configured by the user. */
export interface Stack {
  /** Addresses as environment variables, with which `loadConfig` and child processes find the servers. */
  environment: Record<string, string>;
  /** Whether Pub/Sub and BigQuery are there. */
  googleCloud: boolean;
  /** Stops what was started here, in reverse order; data is kept. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts, in parallel, each server whose address isn't configured, on ports that are kept between runs, with data in
 * `ORDERMESH_DATA_DIR`. Resolves once all of them serve. They stop with this process, even if it is killed.
 * @throws StackRunningError when another process runs a stack in the same directory.
 */
export async function startStack(config: Config, logger: Logger, options: StackOptions = {}): Promise<Stack> {
  const dataDir = path.resolve(config.ORDERMESH_DATA_DIR);
  const unlock = await lockDataDir(dataDir);
  const started: Server[] = [];
  const servers = new Servers(dataDir, (name, reason) => logger.error({ server: name }, `${name} is gone: ${reason}`));
  try {
    const { parts, googleCloud } = await neededParts(config, options);
    const state = await takeOver(dataDir, parts);
    const environments = await allDone(
      parts.map((part) => startPart(part, { config, dataDir, options, servers, state, started })),
    );
    const environment: Record<string, string> = Object.assign(configuredAddresses(config), ...environments);
    state.environment = environment;
    writeState(dataDir, state);
    let closing: Promise<void> | undefined;
    return {
      environment,
      googleCloud,
      close() {
        closing ??= stop(dataDir, state, started, servers).finally(unlock);
        return closing;
      },
    };
  } catch (error) {
    await allDone(started.map((server) => server.stop()));
    servers.close();
    await unlock();
    throw error;
  }
}

async function neededParts(config: Config, { onProgress, gcloudInstallations }: StackOptions) {
  const local = [postgres, kafka];
  const cloud = [pubsub, bigquery];
  const needed = (part: Part) => config[part.variable] === undefined;
  const googleCloud = !needed(pubsub) || (await findPubsubJar(config, gcloudInstallations)) !== undefined;
  if (!googleCloud) onProgress?.(pubsubMissing);
  return { parts: [...local, ...(googleCloud ? cloud : [])].filter(needed), googleCloud };
}

/** Ends what a killed run left behind, then chooses ports. */
async function takeOver(dataDir: string, parts: Part[]): Promise<StackState> {
  const { servers, ports } = await readState(dataDir);
  await allDone(servers.map((server) => endProcess(server, server.signal, LEFTOVER_LIMIT_MS)));
  const chosen = await choosePorts(
    parts.flatMap(({ portNames }) => portNames),
    ports,
  );
  const state: StackState = { ports: { ...ports, ...chosen }, servers: [] };
  writeState(dataDir, state);
  return state;
}

interface StartContext extends Pick<PartContext, 'config' | 'servers'> {
  dataDir: string;
  options: StackOptions;
  state: StackState;
  started: Server[];
}

async function startPart(part: Part, context: StartContext): Promise<Record<string, string>> {
  const { config, servers, dataDir, options, state, started } = context;
  const startedAt = performance.now();
  const directory = path.join(dataDir, part.name);
  await mkdir(directory, { recursive: true });
  const cacheDir = options.cacheDir ?? defaultCacheDir;
  const { server, environment } = await part.start({ config, directory, cacheDir, ports: state.ports, servers });
  started.push(server);
  state.servers.push(server.record);
  writeState(dataDir, state);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  options.onProgress?.(`${part.title} serves ${part.variable}=${environment[part.variable]} (${seconds} s)`);
  return environment;
}

/** What the user configured, passed on as it is. */
function configuredAddresses(config: Config): Record<string, string> {
  const addresses: Record<string, string> = { GOOGLE_CLOUD_PROJECT: config.GOOGLE_CLOUD_PROJECT };
  for (const { variable } of [kafka, postgres, pubsub, bigquery]) {
    const value = config[variable];
    if (value !== undefined) addresses[variable] = Array.isArray(value) ? value.join(',') : value;
  }
  return addresses;
}

async function stop(dataDir: string, state: StackState, started: Server[], servers: Servers): Promise<void> {
  delete state.environment;
  writeState(dataDir, state);
  for (const server of started.toReversed()) await server.stop();
  servers.close();
  writeState(dataDir, { ...state, servers: [] });
}

/** Waits for all, so that none is still under way when one of them fails. */
async function allDone<T>(promises: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
