// Opens the ports of an intake server: routes, other transports, vitals. Called by `gateway/server.ts`.

import uWS, { type TemplatedApp } from 'uWebSockets.js';
import { type ListenOptions, listenOn } from '../../telemetry/exclusive-port.ts';
import { createProcessRegistry, snapshot } from '../../telemetry/metrics.ts';
import { addDocumentRoutes } from '../documents/document-routes.ts';
import { addFallbackRoutes } from '../http/fallback-routes.ts';
import { addOrderRoutes } from '../http/order-routes.ts';
import { addStatusRoute } from '../http/status-route.ts';
import type { TlsFiles } from '../identity/tls.ts';
import { onAdminPort, type VitalsDisplay } from '../vitals.ts';
import { addStreamRoute } from '../websocket/stream-route.ts';
import type { ServerParts } from './build.ts';

/** A server that listens. */
export interface Listening {
  /** Of HTTP and WebSocket. */
  port: number;
  /** Takes no more connections. */
  stop(): void;
}

/**
 * Mounts the routes of HTTP and WebSocket and listens, then opens the other transport.
 * @throws Error naming the port when it is taken
 */
export async function mountTransports(parts: ServerParts, started: AsyncDisposableStack): Promise<Listening> {
  const { options, desk, context, identity, connections } = parts;
  const { config } = options;
  const { authenticator, reception, statuses } = desk;
  const apps: TemplatedApp[] = [];
  started.defer(() => {
    for (const app of apps) app.close();
  });
  const mount = (files: TlsFiles | undefined) => {
    const app = createApp(files);
    apps.push(app);
    addRoutes(app);
    return app;
  };
  const address = { host: config.ORDERMESH_HOST, variable: 'ORDERMESH_GATEWAY_PORT' };
  const { socket, port } = await listenRenewable(mount, identity.files, {
    ...address,
    port: config.ORDERMESH_GATEWAY_PORT,
    shared: options.sharesPort,
  });
  let current = socket;
  let isStopped = false;
  connections.transport = await options.openTransport?.(desk);
  started.defer(() => connections.transport?.close());
  // uWebSockets.js reads certificates only when an app is made. Another app takes the new connections; the old one keeps those that are open.
  identity.tls?.renewBy(async (files) => {
    if (isStopped) return;
    const { socket: next } = await listenOn(mount(files), { ...address, port, shared: true });
    uWS.us_listen_socket_close(current);
    current = next;
    if (isStopped) uWS.us_listen_socket_close(next);
    connections.transport?.renewTls?.(files);
  });
  return {
    port,
    stop() {
      isStopped = true;
      uWS.us_listen_socket_close(current);
    },
  };

  function addRoutes(app: TemplatedApp): void {
    addOrderRoutes(app, { context, authenticator, reception });
    addStatusRoute(app, { context, authenticator, statuses });
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

/**
 * With TLS the port is shared with the app of the next certificate. A port that another process holds is found by listening alone first, because a shared port
 * would silently give each a part of the connections.
 */
async function listenRenewable(
  mount: (files: TlsFiles | undefined) => TemplatedApp,
  files: TlsFiles | undefined,
  options: ListenOptions,
) {
  if (files === undefined || options.shared === true) return listenOn(mount(files), options);
  const alone = await listenOn(uWS.App(), options);
  uWS.us_listen_socket_close(alone.socket);
  return listenOn(mount(files), { ...options, port: alone.port, shared: true });
}

function createApp(tls: TlsFiles | undefined): TemplatedApp {
  if (tls === undefined) return uWS.App();
  const own = { cert_file_name: tls.certFile, key_file_name: tls.keyFile };
  // With authorities the server asks for a client certificate and does not require it: a wrong certificate ends the handshake, a client without one sends a token.
  return uWS.SSLApp(tls.clients === undefined ? own : { ...own, ca_file_name: tls.clients.caFile });
}

/** Shows metrics and readiness: on the admin port of the role, unless the caller shows them elsewhere. */
export async function mountVitals(parts: ServerParts, started: AsyncDisposableStack): Promise<VitalsDisplay> {
  const { options, desk, identity } = parts;
  const { config, role, intake, activity } = options;
  const { reception, authenticator, metrics } = desk;
  const { tls } = identity;
  const registry = createProcessRegistry(role);
  metrics.register(registry, reception.admission);
  tls?.register(registry);
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
