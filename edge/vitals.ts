import type { Registry } from 'prom-client';
import type { Config } from '../contracts/config/config.ts';
import type { ShowVitals } from '../gateway/index.ts';
import { openAdminPort } from '../telemetry/admin-port.ts';
import type { EdgeMenus } from './menu/edge-menus.ts';
import type { StatusKeeper } from './status.ts';
import { statusPage } from './status-page.ts';
import { headline } from './status-text.ts';

/** The agent's admin port: the metrics and readiness of the gateway's server, the agent's own metrics, and the status page. */
export function edgeVitals(
  config: Config,
  registry: Registry,
  status: StatusKeeper,
  menus: Pick<EdgeMenus, 'remark'> | undefined,
): ShowVitals {
  return async ({ scrape, readiness }) => {
    const admin = await openAdminPort('edge', config, {
      metrics: async () => (await scrape()) + (await registry.metrics()),
      readiness,
      // The same words as on the page and in `ordermesh edge status`. The agent takes orders meanwhile, so these remarks leave it ready.
      remarks: {
        agent() {
          const { level, text } = headline(status.known);
          return level === 'good' ? undefined : text;
        },
        menu: () => menus?.remark(),
      },
      pages: {
        '/': async () => ({
          contentType: 'text/html; charset=utf-8',
          text: statusPage(await status.read(), Date.now()),
        }),
        '/status.json': async () => ({
          contentType: 'application/json',
          text: JSON.stringify(await status.read()),
        }),
      },
    });
    return {
      addresses: { 'edge status': `${admin.url}/`, 'edge metrics': `${admin.url}/metrics` },
      close: admin.close,
    };
  };
}
