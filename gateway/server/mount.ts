// Opens the ports of an intake server: routes, other transports, vitals. Called by `gateway/server.ts`.

import type { TemplatedApp } from 'uWebSockets.js';
import { createProcessRegistry, snapshot } from '../../telemetry/metrics.ts';
import { listenRenewable, type RenewablePort } from '../../telemetry/renewable-port.ts';
import { addDocumentRoutes } from '../documents/document-routes.ts';
import { addFallbackRoutes } from '../http/fallback-routes.ts';
import { addMenuRoutes } from '../http/menu-routes.ts';
import { addOrderRoutes } from '../http/order-routes.ts';
import { addStatusRoute } from '../http/status-route.ts';
import { onAdminPort, type VitalsDisplay } from '../vitals.ts';
import { addStreamRoute } from '../websocket/stream-route.ts';
import type { ServerParts } from './build.ts';

/** A server that listens. */
export type Listening = Pick<RenewablePort, 'port' | 'stop'>;

/**
 * Mounts the routes of HTTP and WebSocket and listens, then opens the other transport.
 * @throws Error naming the port when it is taken
 */
export async function mountTransports(parts: ServerParts, started: AsyncDisposableStack): Promise<Listening> {
  const { options, desk, context, identity, connections } = parts;
  const { config } = options;
  const { authenticator, reception, statuses } = desk;
  const listening = await listenRenewable(addRoutes, identity.files, {
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_GATEWAY_PORT,
    variable: 'ORDERMESH_GATEWAY_PORT',
    shared: options.sharesPort,
  });
  started.defer(() => listening.close());
  connections.transport = await options.openTransport?.(desk);
  started.defer(() => connections.transport?.close());
  identity.tls?.renewBy(async (files) => {
    await listening.renew(files);
    connections.transport?.renewTls?.(files);
  });
  return listening;

  function addRoutes(app: TemplatedApp): void {
    addOrderRoutes(app, { context, authenticator, reception });
    addStatusRoute(app, { context, authenticator, statuses });
    addMenuRoutes(app, { context, authenticator, menus: parts.menus });
    addStreamRoute(app, {
      context,
      authenticator,
      reception,
      streams: connections.streams,
      idleTimeoutS: Math.ceil(config.ORDERMESH_STREAM_IDLE_TIMEOUT / 1_000),
      onStream: options.onStream,
    });
    addDocumentRoutes(app, context);
    addFallbackRoutes(app, context);
  }
}

/** Shows metrics and readiness: on the admin port of the role, unless the caller shows them elsewhere. */
export async function mountVitals(parts: ServerParts, started: AsyncDisposableStack): Promise<VitalsDisplay> {
  const { options, desk, identity } = parts;
  const { config, role, intake, activity } = options;
  const { reception, authenticator, metrics } = desk;
  const { tls } = identity;
  const registry = createProcessRegistry(role);
  metrics.register(registry, reception.admission);
  tls?.register(registry, 'gateway');
  options.registerMetrics?.(registry);
  const shown = await (options.showVitals ?? onAdminPort(config, role))({
    snapshot: () => snapshot(registry),
    scrape: () => registry.metrics(),
    readiness: {
      log: () => intake.readiness(),
      region: () => activity?.passive(),
      identity: () => authenticator.readiness?.(),
      gateway: () => (reception.draining ? 'shutting down' : undefined),
    },
    remarks: {
      database: () => options.lookupTrouble?.(),
      log: () => intake.remark?.(),
      identity: () => (authenticator.readiness?.() === undefined ? authenticator.trouble?.() : undefined),
      tls: () => tls?.trouble(reception.clock.now()),
    },
  });
  started.defer(() => shown.close());
  return shown;
}
