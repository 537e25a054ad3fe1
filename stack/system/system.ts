// Starts the stack and all roles. Called by `ordermesh up`, by `ordermesh smoke` and by the benchmarks.

import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { assertAdminLocked } from '../../contracts/config/admin.ts';
import { type Config, type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { assertSimulationAllowed } from '../../contracts/config/simulation.ts';
import { UsageError } from '../../contracts/failure.ts';
import { hostPort, reachableHost } from '../../contracts/local-url.ts';
import { defaultAdminPort, type RoleName } from '../../contracts/roles.ts';
import { aclsFor, applyAcls, applyTopics, withAdmin } from '../../kafka/index.ts';
import { loadMenu, menuVersion, migrateAt, serverAt, withDatabase } from '../../store/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { assertPortFree, type Stack, startCore, startStack } from '../index.ts';
import { RoleProcess } from './role-process.ts';

/** Roles of a region with their command lines, in the order an order meets them. */
const coreRoles = {
  gateway: ['gateway'],
  'order-validator': ['worker', 'order-validator'],
  payment: ['worker', 'payment'],
  kitchen: ['worker', 'kitchen'],
  display: ['display'],
} satisfies Partial<Record<RoleName, string[]>>;

const cloudRoles = {
  bridge: ['bridge'],
  warehouse: ['warehouse'],
  loyalty: ['loyalty'],
} satisfies Partial<Record<RoleName, string[]>>;

/** Beside emulators no role needs to ask Google's metadata server who it is; on a machine without one that costs a second and a warning. */
const quietMetadata = { METADATA_SERVER_DETECTION: 'none' };

export interface System {
  /** With the addresses of what serves; those of the Google Cloud part come with `cloud`. */
  readonly config: ConnectedConfig;
  /** Whether bridge, warehouse and loyalty belong to it. */
  googleCloud: boolean;
  /** Resolves once the Google Cloud part is ready, at once where it is off; rejects with what is wrong, and the rest goes on. */
  cloud: Promise<void>;
  /** Those that were started so far. */
  roles: readonly RoleProcess[];
  /** What a person would open or call, by name; of the roles that are ready. */
  readonly addresses: [name: string, address: string][];
  /** Stops the roles, the gateway first, then the stack. Idempotent. */
  close(): Promise<void>;
}

export interface SystemOptions {
  /** The menu that a database without one gets. */
  menuFile: URL;
  /** Resolve as soon as orders reach the kitchen; the Google Cloud part follows and says when it is ready. */
  cloudLater?: boolean;
}

/** Starts the stack and every role, and resolves once all of them are ready. @throws after it has stopped what it started */
export async function startSystem(
  config: Config,
  logger: Logger,
  onNote: (line: string) => void,
  { menuFile, cloudLater = false }: SystemOptions,
): Promise<System> {
  assertAdminLocked(config);
  for (const role of Object.keys({ ...coreRoles, ...cloudRoles })) assertSimulationAllowed(role as RoleName, config);
  await assertPortsFree(config);
  const start = cloudLater ? startCore : startStack;
  const stack = await start(config, logger, { onProgress: onNote });
  const roles: RoleProcess[] = [];
  let connected: ConnectedConfig;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= stopAll(roles, stack.close);
    return closing;
  };
  const startRoles = async (commands: Partial<Record<RoleName, string[]>>) => {
    const environment = { ORDERMESH_SLOTS: sharedSlots(), ...quietMetadata, ...process.env, ...stack.environment };
    connected = loadConfig(environment) as ConnectedConfig;
    const added = Object.entries(commands).map(([role, args]) =>
      startRole(role as RoleName, args, connected, environment, onNote, stack.roleUser),
    );
    roles.push(...added);
    await Promise.all(added.map((role) => role.ready()));
  };
  const startCloud = async () => {
    if (!stack.googleCloud) return;
    await stack.startCloud();
    if (closing === undefined) await startRoles(cloudRoles);
  };
  try {
    connected = loadConfig({ ...process.env, ...stack.environment }) as ConnectedConfig;
    await Promise.all([
      withAdmin(connected, (admin) => applyTopics(admin, connected)).then(() => grantRights(connected, stack)),
      prepareDatabase(connected, menuFile, onNote),
    ]);
    // Google's side is another failure domain: it neither holds the kitchen back nor takes the cores while that starts.
    const core = startRoles(coreRoles);
    if (cloudLater) await core;
    const cloud = startCloud();
    // The next line throws a failure, or with `cloudLater` the caller, who awaits `cloud`.
    cloud.catch(() => {});
    if (!cloudLater) await Promise.all([core, cloud]);
    return {
      get config() {
        return connected;
      },
      googleCloud: stack.googleCloud,
      cloud,
      roles,
      get addresses() {
        return addressesOf(connected, roles);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Each role of a secured stack gets what it needs and no more. */
async function grantRights(config: ConnectedConfig, stack: Stack): Promise<void> {
  if (stack.principals !== undefined) await applyAcls(clusterOf(config), aclsFor(stack.principals, [config.REGION]));
}

/**
 * Threads of each worker when all roles share one machine: every thread makes turns of its own, and with a thread a core for each of
 * them there would be more small turns than the cores are good for.
 */
function sharedSlots(): string {
  return String(Math.max(1, Math.floor(availableParallelism() / 2)));
}

/** With `ORDERMESH_ADMIN_PORT` set, the roles count up from there instead of from the default. */
function adminPort(config: Config, role: RoleName): number {
  return (config.ORDERMESH_ADMIN_PORT ?? defaultAdminPort('gateway')) + adminOffset(role);
}

function adminOffset(role: RoleName): number {
  return defaultAdminPort(role) - defaultAdminPort('gateway');
}

function startRole(
  role: RoleName,
  args: readonly string[],
  config: ConnectedConfig,
  environment: NodeJS.ProcessEnv,
  onNote: (line: string) => void,
  roleUser: Stack['roleUser'],
): RoleProcess {
  return new RoleProcess({
    role,
    args,
    env: { ...environment, ...roleUser(role), ORDERMESH_ADMIN_PORT: String(adminPort(config, role)) },
    host: reachableHost(config.ORDERMESH_ADMIN_HOST),
    adminPort: adminPort(config, role),
    adminToken: config.ORDERMESH_ADMIN_TOKEN,
    background: role in cloudRoles,
    logDirectory: path.join(config.ORDERMESH_DATA_DIR, 'logs'),
    onNote,
  });
}

/** The simulated restaurants send to the gateway's port, and Prometheus reads the admin ports, so the operating system must not choose them (port 0). */
function assertPortsKnown({ ORDERMESH_GATEWAY_PORT: gateway, ORDERMESH_ADMIN_PORT: admin }: Config): void {
  if (gateway === 0)
    throw new UsageError('ORDERMESH_GATEWAY_PORT is 0; for the whole mesh it takes a port from 1 to 65535');
  const last = Math.max(...Object.keys({ ...coreRoles, ...cloudRoles }).map((role) => adminOffset(role as RoleName)));
  if (admin !== undefined && (admin === 0 || admin + last > 65_535))
    throw new UsageError(
      `ORDERMESH_ADMIN_PORT is ${admin}; for the whole mesh it takes a port from 1 to ${65_535 - last}: the roles count up from it`,
    );
}

/** @throws UsageError for a port that cannot be used for the whole mesh; an Error that names a port in use */
export async function assertPortsFree(config: Config): Promise<void> {
  assertPortsKnown(config);
  const { ORDERMESH_HOST: host, ORDERMESH_ADMIN_HOST: adminHost } = config;
  const ports: { port: number; at?: string; what: string; variable: string }[] = [
    { port: config.ORDERMESH_GATEWAY_PORT, what: 'the gateway', variable: 'ORDERMESH_GATEWAY_PORT' },
    { port: config.ORDERMESH_GRPC_PORT, what: 'gRPC of the gateway', variable: 'ORDERMESH_GRPC_PORT' },
    { port: config.ORDERMESH_DISPLAY_PORT, what: 'the kitchen display', variable: 'ORDERMESH_DISPLAY_PORT' },
    { port: config.ORDERMESH_LOYALTY_PORT, what: 'the loyalty function', variable: 'ORDERMESH_LOYALTY_PORT' },
    ...Object.keys({ ...coreRoles, ...cloudRoles }).map((role) => ({
      port: adminPort(config, role as RoleName),
      at: adminHost,
      what: `the metrics of ${role}`,
      variable: 'ORDERMESH_ADMIN_PORT',
    })),
  ];
  for (const { port, what, variable, at = host } of ports) await assertPortFree({ port, host: at, what, variable });
}

/** The schema, as the owner of the tables where it has a login of its own, and the menu of the file unless there is a menu already. */
async function prepareDatabase(config: ConnectedConfig, menuFile: URL, onNote: (line: string) => void): Promise<void> {
  const owner = config.ORDERMESH_MIGRATION_DATABASE_URL;
  if (owner !== undefined) await migrateAt(serverAt(owner, config), 'up', { onWait: onNote });
  await withDatabase(config, async (sql) => {
    if ((await menuVersion(sql)) > 0) return;
    const { items, stores } = await loadMenu(sql, JSON.parse(await readFile(menuFile, 'utf8')));
    onNote(`loaded the first menu: ${items} items, ${stores} stores`);
  });
}

/** Addresses that a role tells beside its own name. */
const alsoTold = new Set(['grpc', 'function']);

/** What a person calls them. */
const spoken: Readonly<Record<string, string>> = { display: 'kitchen display', grpc: 'gateway gRPC' };

function addressesOf(config: Config, roles: readonly RoleProcess[]): [string, string][] {
  const told = roles.flatMap(({ role, addresses }) =>
    Object.entries(addresses).filter(([name]) => name === role || alsoTold.has(name)),
  );
  const metrics = roles.map(
    ({ role }) =>
      [`${role} metrics`, `http://${hostPort(config.ORDERMESH_ADMIN_HOST, adminPort(config, role))}/metrics`] as const,
  );
  return [...told, ...metrics].map(([name, address]) => [spoken[name] ?? name, address]);
}

async function stopAll(roles: readonly RoleProcess[], stopStack: () => Promise<void>): Promise<void> {
  const [gateway, ...others] = roles;
  await gateway?.stop();
  await Promise.all(others.map((role) => role.stop()));
  await stopStack();
}
