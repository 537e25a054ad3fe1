// The roles of a capacity run, in the shape that is measured. Started by main.ts.

import path from 'node:path';
import { type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import type { RoleName } from '../../contracts/roles.ts';
import { choosePorts, portOf } from '../../stack/index.ts';
import { RoleProcess } from '../../stack/system/index.ts';

/** How the work of the three worker roles is divided. */
export interface Shape {
  /** Of each worker role. */
  processes: number;
  /** Of each process. */
  slots: number;
}

const workers = ['order-validator', 'payment', 'kitchen'] as const;
const HOST = '127.0.0.1';

export interface RunningRoles {
  config: ConnectedConfig;
  display: URL;
  pids: Readonly<Record<string, readonly number[]>>;
  stop(): Promise<void>;
}

/** @param servers addresses of Kafka and PostgreSQL, as variables */
export async function startRoles(
  directory: string,
  servers: Readonly<Record<string, string>>,
  { processes, slots }: Shape,
): Promise<RunningRoles> {
  const plan: { name: string; role: RoleName; args: string[] }[] = [
    { name: 'gateway', role: 'gateway', args: ['gateway'] },
    { name: 'display', role: 'display', args: ['display'] },
    ...workers.flatMap((role) =>
      Array.from({ length: processes }, (_, n) => ({ name: `${role}-${n}`, role, args: ['worker', role] })),
    ),
  ];
  const ports = await choosePorts(['gateway', 'grpc', 'display', ...plan.map(({ name }) => `admin-${name}`)], {});
  const environment = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ...servers,
    ORDERMESH_DATA_DIR: directory,
    ORDERMESH_SLOTS: String(slots),
    ORDERMESH_GATEWAY_PORT: String(portOf(ports, 'gateway')),
    ORDERMESH_GRPC_PORT: String(portOf(ports, 'grpc')),
    ORDERMESH_DISPLAY_PORT: String(portOf(ports, 'display')),
  };
  const running = plan.map(({ name, role, args }) => {
    const adminPort = portOf(ports, `admin-${name}`);
    return new RoleProcess({
      role,
      name: `${name}-${processes}x${slots}`,
      args,
      env: { ...environment, ORDERMESH_ADMIN_PORT: String(adminPort) },
      host: HOST,
      adminPort,
      background: false,
      logDirectory: path.join(directory, 'logs'),
      onNote: (line) => process.stderr.write(`${line}\n`),
    });
  });
  await Promise.all(running.map((role) => role.ready()));
  const pids = Object.groupBy(running, ({ role }) => role);
  return {
    config: loadConfig(environment) as ConnectedConfig,
    display: new URL(`http://${HOST}:${portOf(ports, 'display')}`),
    pids: Object.fromEntries(
      Object.entries(pids).map(([role, of]) => [role, of.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))]),
    ),
    stop: async () => void (await Promise.all(running.map((role) => role.stop()))),
  };
}
