// Opens the admin server of a role. Called by every role.

import type { Registry } from 'prom-client';
import { assertAdminLocked } from '../contracts/config/admin.ts';
import type { Config } from '../contracts/config/config.ts';
import {
  assertSimulationAllowed,
  type SimulatedPart,
  simulatedBeyondLoopback,
} from '../contracts/config/simulation.ts';
import { hostPort } from '../contracts/local-url.ts';
import { defaultAdminPort, type RoleName } from '../contracts/roles.ts';
import { type AdminServerOptions, startAdminServer } from './admin-server.ts';
import { metricsContentType } from './metrics.ts';

export interface AdminPortOptions extends Omit<AdminServerOptions, 'host' | 'port' | 'metrics' | 'token'> {
  /** The registry of the role, or what makes the Prometheus text where there are several registries. */
  metrics: Registry | (() => Promise<string>);
}

export interface AdminPort extends AsyncDisposable {
  /** Without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

/**
 * Opens the admin server of a role on the port that the configuration gives it. Every role calls this at its start.
 * @throws when the port is taken, naming the port and the variable that moves it
 * @throws ConfigError for a port beyond loopback without a token, and for a simulated part beyond loopback
 */
export async function openAdminPort(
  role: RoleName,
  config: Config,
  { metrics, ...options }: AdminPortOptions,
): Promise<AdminPort> {
  assertAdminLocked(config);
  assertSimulationAllowed(role, config);
  const host = config.ORDERMESH_ADMIN_HOST;
  const simulated = simulatedBeyondLoopback(role, config);
  const scrape = typeof metrics === 'function' ? metrics : () => metrics.metrics();
  const { port, close } = await startAdminServer({
    ...options,
    host,
    token: config.ORDERMESH_ADMIN_TOKEN,
    port: config.ORDERMESH_ADMIN_PORT ?? defaultAdminPort(role),
    metrics: async () => ({
      contentType: metricsContentType,
      text: (await scrape()) + simulationMetric(role, simulated),
    }),
    remarks: {
      ...options.remarks,
      ...Object.fromEntries(simulated.map(({ name, danger }) => [name, () => danger] as const)),
    },
  });
  return { url: `http://${hostPort(host, port)}`, close, [Symbol.asyncDispose]: close };
}

/** In the Prometheus text format. Absent where nothing is simulated: what is simulated cannot change while the role runs. */
function simulationMetric(role: RoleName, parts: readonly SimulatedPart[]): string {
  if (parts.length === 0) return '';
  const name = 'ordermesh_simulation';
  const head = [
    `# HELP ${name} 1 for each part that is simulated beyond loopback, by ORDERMESH_ALLOW_SIMULATION.`,
    `# TYPE ${name} gauge`,
  ];
  return `${[...head, ...parts.map((part) => `${name}{role="${role}",part="${part.name}"} 1`)].join('\n')}\n`;
}
