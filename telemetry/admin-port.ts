// Opens the admin server of a role. Called by every role.

import type { Registry } from 'prom-client';
import type { Config } from '../contracts/config/config.ts';
import { hostPort } from '../contracts/local-url.ts';
import { defaultAdminPort, type RoleName } from '../contracts/roles.ts';
import { type AdminServerOptions, startAdminServer } from './admin-server.ts';
import { metricsContentType } from './metrics.ts';

export interface AdminPortOptions extends Omit<AdminServerOptions, 'host' | 'port' | 'metrics'> {
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
 * @throws when the port is taken, naming the port and the variable that moves it.
 */
export async function openAdminPort(
  role: RoleName,
  config: Config,
  { metrics, ...options }: AdminPortOptions,
): Promise<AdminPort> {
  const host = config.ORDERMESH_HOST;
  const scrape = typeof metrics === 'function' ? metrics : () => metrics.metrics();
  const { port, close } = await startAdminServer({
    ...options,
    host,
    port: config.ORDERMESH_ADMIN_PORT ?? defaultAdminPort(role),
    metrics: async () => ({ contentType: metricsContentType, text: await scrape() }),
  });
  return { url: `http://${hostPort(host, port)}`, close, [Symbol.asyncDispose]: close };
}
