// Starts the servers that the roles need and that are not configured. Called by system/system.ts.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { PrincipalRole } from '../contracts/access.ts';
import type { Config } from '../contracts/config/config.ts';
import { ownSecurity, securityVariables } from '../contracts/config/kafka-security.ts';
import { secretVariable } from '../contracts/config/secret.ts';
import type { RoleName } from '../contracts/roles.ts';
import type { Logger } from '../telemetry/logger.ts';
import { bigquery } from './bigquery/emulator.ts';
import { userCacheDir } from './cache.ts';
import { kafka } from './kafka/broker.ts';
import { principals, userEnvironment } from './kafka/broker-security.ts';
import type { Part, PartContext } from './part.ts';
import { choosePorts } from './ports.ts';
import { databaseUser } from './postgres/logins.ts';
import { postgres } from './postgres/server.ts';
import { endProcess } from './process-identity.ts';
import { pubsub } from './pubsub/emulator.ts';
import { findPubsubJar, pubsubMissing } from './pubsub/jar.ts';
import { type Server, Servers } from './servers.ts';
import { lockDataDir, readState, type StackState, writeState } from './state.ts';

const LEFTOVER_LIMIT_MS = 15_000;
const allParts: readonly Part[] = [kafka, postgres, pubsub, bigquery];

export interface StackOptions {
  /** One line for people per part: what starts, what serves, what is off and why. */
  onProgress?: (line: string) => void;
  /** Where downloads are kept; `ORDERMESH_CACHE_DIR` or the user's cache by default. */
  cacheDir?: string;
  /** Where a gcloud with the Pub/Sub emulator may be; the one on the PATH and the usual places by default. */
  gcloudInstallations?: string[];
  /** Emulators get the priority of everything else: for tests, which wait for them. The lowest by default. */
  cloudInForeground?: boolean;
}

/** Everything the roles need to run, started here or configured by the user. */
export interface Stack {
  /** Addresses as environment variables, with which `loadConfig` and child processes find the servers. */
  environment: Record<string, string>;
  /** The user of each role, where the stack's own Kafka is secured: what ACLs are for. */
  principals?: Record<PrincipalRole, string> | undefined;
  /** Variables with which a role is its own user of the stack's servers; empty where one user does everything. */
  roleUser(role: RoleName): Record<string, string>;
  /** Whether Pub/Sub and BigQuery belong to it. */
  googleCloud: boolean;
  /**
   * Starts Pub/Sub and BigQuery, after which `environment` has their addresses; does nothing where they run or are off. Idempotent.
   * @throws naming what is missing; Kafka and PostgreSQL go on.
   */
  startCloud(): Promise<void>;
  /** Stops what was started here, in reverse order; data is kept. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts, in parallel, each server whose address isn't configured, on ports that are kept between runs, with data in
 * `ORDERMESH_DATA_DIR`. Resolves once all of them serve. They stop with this process, even if it is killed.
 * @throws StackRunningError when another process runs a stack in the same directory.
 */
export async function startStack(config: Config, logger: Logger, options: StackOptions = {}): Promise<Stack> {
  const stack = await startCore(config, logger, options, true);
  try {
    await stack.startCloud();
    return stack;
  } catch (error) {
    await stack.close();
    throw error;
  }
}

/**
 * The same for Kafka and PostgreSQL, without which nothing runs; the rest begins with `startCloud`. Resolves once these two serve.
 * @param cloudAtOnce whether Pub/Sub and BigQuery start beside them.
 */
export async function startCore(
  config: Config,
  logger: Logger,
  options: StackOptions = {},
  cloudAtOnce = false,
): Promise<Stack> {
  const dataDir = path.resolve(config.ORDERMESH_DATA_DIR);
  const unlock = await lockDataDir(dataDir);
  const started: Server[] = [];
  const closing = new AbortController();
  let current: StackState | undefined;
  const servers = new Servers(
    dataDir,
    (name, reason) => logger.error({ server: name }, `${name} is gone: ${reason}`),
    // Without a reader of the progress lines, the states of the servers go to the log.
    {
      say: options.onProgress ?? ((line) => logger.warn(line)),
      title: (name) => allParts.find((part) => part.name === name)?.title ?? name,
      onRestart(record) {
        if (current === undefined) return;
        current.servers = [...current.servers.filter(({ name }) => name !== record.name), record];
        writeState(dataDir, current);
      },
    },
  );
  let cloudStarting: Promise<void> | undefined;
  try {
    const { core, cloud, googleCloud } = await neededParts(config, options);
    const state = await takeOver(dataDir, [...core, ...cloud]);
    current = state;
    const environment = configuredAddresses(config);
    const context = { config, dataDir, options, servers, state, started, signal: closing.signal };
    const start = async (parts: Part[]) => {
      Object.assign(environment, ...(await allDone(parts.map((part) => startPart(part, context)))));
      if (closing.signal.aborted) return;
      state.environment = environment;
      writeState(dataDir, state);
    };
    const startCloud = () => {
      cloudStarting ??= start(cloud);
      return cloudStarting;
    };
    // `startCloud` returns this same promise to the caller, who gets the failure.
    if (cloudAtOnce) startCloud().catch(() => {});
    await start(core);
    let closed: Promise<void> | undefined;
    const close = async () => {
      closing.abort(new Error('the stack is being stopped'));
      // The caller of `startCloud` has got its failure. The servers that did start are stopped below.
      await cloudStarting?.catch(() => {});
      await stop(dataDir, state, started, servers, logger).finally(unlock);
    };
    const isSecured = config.ORDERMESH_STACK_KAFKA === 'sasl-ssl' && core.includes(kafka);
    return {
      environment,
      ...(isSecured ? { principals: principals() } : {}),
      roleUser: (role) => ({
        ...databaseUser(role, environment.DATABASE_URL),
        ...(isSecured ? userEnvironment(path.join(dataDir, kafka.name), role) : {}),
      }),
      googleCloud,
      startCloud,
      close() {
        closed ??= close();
        return closed;
      },
    };
  } catch (error) {
    closing.abort(error);
    // `error` came first and is thrown; `closing` may be the reason why the cloud part failed.
    await cloudStarting?.catch(() => {});
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
  return { core: local.filter(needed), cloud: googleCloud ? cloud.filter(needed) : [], googleCloud };
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
  signal: AbortSignal;
  dataDir: string;
  options: StackOptions;
  state: StackState;
  started: Server[];
}

async function startPart(part: Part, context: StartContext): Promise<Record<string, string>> {
  const { config, servers, dataDir, options, state, started, signal } = context;
  const startedAt = performance.now();
  const directory = path.join(dataDir, part.name);
  await mkdir(directory, { recursive: true });
  const cacheDir = options.cacheDir ?? (await userCacheDir(config));
  const { server, environment } = await part.start({
    config,
    directory,
    cacheDir,
    ports: state.ports,
    servers,
    background: !options.cloudInForeground,
    signal,
  });
  started.push(server);
  state.servers.push(server.record);
  writeState(dataDir, state);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  options.onProgress?.(
    `${part.title} serves ${part.variable}=${withoutPassword(environment[part.variable])} (${seconds} s)`,
  );
  return environment;
}

/** The stack's own passwords are no secrets, but a log is no place for any. */
function withoutPassword(address = ''): string {
  return address.replace(/:[^:@/]+@/, '@').replace(/\?.*/, '');
}

/** What the user configured, passed on as it is. */
function configuredAddresses(config: Config): Record<string, string> {
  const addresses: Record<string, string> = { GOOGLE_CLOUD_PROJECT: config.GOOGLE_CLOUD_PROJECT };
  if (config.KAFKA_BROKERS !== undefined) Object.assign(addresses, securityVariables(ownSecurity(config)));
  for (const { variable } of allParts) {
    const value = config[variable];
    if (value === undefined) continue;
    if (typeof value === 'object' && !Array.isArray(value)) Object.assign(addresses, secretVariable(variable, value));
    else addresses[variable] = Array.isArray(value) ? value.join(',') : value;
  }
  return addresses;
}

async function stop(
  dataDir: string,
  state: StackState,
  started: Server[],
  servers: Servers,
  logger: Logger,
): Promise<void> {
  // A full disk must not keep the servers running.
  const note = (noted: StackState) => {
    try {
      writeState(dataDir, noted);
    } catch (error) {
      logger.warn(`stack.json keeps servers that are being stopped: ${(error as Error).message}`);
    }
  };
  delete state.environment;
  note(state);
  for (const server of started.toReversed()) await server.stop();
  servers.close();
  note({ ...state, servers: [] });
}

/** Waits for all of them, also when one fails, so that none still runs afterwards. */
async function allDone<T>(promises: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
