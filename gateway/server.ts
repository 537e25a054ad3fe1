import uWS, { type TemplatedApp } from 'uWebSockets.js';
import { type Clock, turnClock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config.ts';
import { settlesWithin } from '../contracts/deadline.ts';
import { hostPort } from '../contracts/local-url.ts';
import type { RoleName, RunningRole } from '../contracts/roles.ts';
import { systemTimers } from '../contracts/timers.ts';
import type { Activity } from '../region/index.ts';
import { listenOn } from '../telemetry/exclusive-port.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createProcessRegistry, snapshot } from '../telemetry/metrics.ts';
import { stateEnded } from '../telemetry/state-log.ts';
import { addDocumentRoutes } from './documents/document-routes.ts';
import type { FrontDesk, OpenWayIn, WayIn } from './front-desk.ts';
import { exchangeContext, exchangesOver } from './http/exchange.ts';
import { addFallbackRoutes } from './http/fallback-routes.ts';
import { addOrderRoutes } from './http/order-routes.ts';
import { addStatusRoute } from './http/status-route.ts';
import { createAuthenticator } from './identity/authenticator.ts';
import { type TlsFiles, tlsFiles } from './identity/tls.ts';
import { watchTls } from './identity/tls-watch.ts';
import { GatewayMetrics } from './metrics.ts';
import { Admission } from './orders/admission.ts';
import type { Intake } from './orders/intake.ts';
import { RecentOrders } from './orders/recent-orders.ts';
import { Reception, type Submission } from './orders/reception.ts';
import { type StatusLookup, StatusReader } from './status/status-reader.ts';
import type { UndecidedLookup } from './status/undecided-orders.ts';
import { onAdminPort, type ShowVitals } from './vitals.ts';
import type { Stream } from './websocket/stream.ts';
import { addStreamRoute } from './websocket/stream-route.ts';

export interface IntakeServerOptions {
  config: Config;
  logger: Logger;
  /** The role it serves: the gateway of a region or the edge agent of a restaurant. */
  role: Extract<RoleName, 'gateway' | 'edge'>;
  intake: Intake;
  /** Reads statuses; absent where there is no store, as in a restaurant. */
  lookup?: StatusLookup | undefined;
  /** Finds orders that were accepted and are not in that store yet; absent where there is no log. */
  undecided?: UndecidedLookup | undefined;
  /** The open WebSocket connections, which the server adds and removes; the status feed pushes to them. */
  streams?: Set<Stream>;
  /** Called when a WebSocket connection has opened. */
  onStream?: (() => void) | undefined;
  /** Calls `forget` when the log may have lost accepted orders. Resolves with a function that ends the watch. Absent where the log cannot be lost without its process. */
  watchLog?: ((forget: () => void) => Promise<() => Promise<void>>) | undefined;
  /** Whether this region takes orders, where two regions share the mesh. */
  activity?: Activity | undefined;
  /** Opens another transport, which is drained and closed with this server. */
  openBeside?: OpenWayIn | undefined;
  /** Whether other processes may listen on the same port; the kernel spreads the connections over them. */
  sharesPort?: boolean;
  /** On the admin port of the role by default. */
  showVitals?: ShowVitals;
  clock?: Clock;
}

/** Close code for a server that restarts (IANA registry of RFC 6455): the client connects again, to another instance. */
const SERVICE_RESTART = 1012;

/** Open connections are looked through this often: one whose credentials have ended is closed at the second look at the latest. */
const LOOK_MS = 5_000;

/**
 * Takes orders over HTTP and WebSocket, for any intake.
 * @throws ConfigError for a combination of settings that cannot be; Error naming the port when it is taken.
 */
export async function startIntakeServer(options: IntakeServerOptions): Promise<RunningRole> {
  const {
    config,
    logger,
    role,
    intake,
    lookup,
    undecided,
    streams = new Set(),
    onStream,
    clock = turnClock(),
  } = options;
  // Closed in reverse order, when the start fails or the server is closed.
  await using started = new AsyncDisposableStack();
  let beside: WayIn | undefined;
  const endOpen = () => {
    let ended = 0;
    for (const stream of streams) {
      const why = authenticator.ended?.(stream.identity);
      if (why !== undefined && stream.endCredentials(why)) ended += 1;
    }
    ended += beside?.endCredentials(authenticator) ?? 0;
    if (ended === 0) return;
    metrics.credentialsEnded += ended;
    logger.info({ connections: ended }, 'connections are closed: their credentials have ended');
  };
  const metrics = new GatewayMetrics();
  const { files, tls, authenticator } = await openIdentity({
    config,
    clock,
    logger,
    metrics,
    onEnded: endOpen,
    started,
  });
  const admission = new Admission({
    ordersMax: config.ORDERMESH_UNANSWERED_ORDERS_MAX,
    bytesMax: config.ORDERMESH_UNANSWERED_BYTES_MAX,
    ageMsMax: config.ORDERMESH_UNANSWERED_AGE_MAX,
    clock,
  });
  const recent = new RecentOrders<Submission>({
    ordersMax: config.ORDERMESH_RECENT_ORDERS_MAX,
    ageMs: config.ORDERMESH_RECENT_AGE,
    clock,
  });
  const endWatch = await options.watchLog?.(() => recent.forget());
  started.defer(() => endWatch?.());
  const { activity } = options;
  const reception = new Reception({ intake, admission, recent, metrics, clock, passive: activity?.passive });
  const context = exchangeContext(config, admission, metrics, logger);
  const statuses = new StatusReader({
    reception,
    lookup,
    undecided,
    clock,
    onOutage: (error) => logger.warn({ err: error }, 'the status of orders cannot be read; those who ask get 503'),
    onRecovery: () => logger.info(stateEnded, 'the status of orders can be read again'),
  });
  // Live connections go to the region that is active now: HTTP ones with their next answer, sockets at once.
  activity?.onChange(() => {
    const reason = activity.passive();
    // While it shuts down, answers close their connections whoever is active.
    context.closing = reception.draining || reason !== undefined;
    if (reason === undefined) return;
    logger.warn({ state: activity.state }, `orders are refused: ${reason}`);
    for (const stream of streams) stream.end(SERVICE_RESTART, reason);
  });

  const app = createApp(files);
  started.defer(() => void app.close());
  addOrderRoutes(app, { context, authenticator, reception });
  addStatusRoute(app, { context, authenticator, statuses });
  const idleTimeoutS = Math.ceil(config.ORDERMESH_STREAM_IDLE_TIMEOUT / 1_000);
  addStreamRoute(app, { context, authenticator, reception, streams, idleTimeoutS, onStream });
  addDocumentRoutes(app, context);
  addFallbackRoutes(app, context);
  started.defer(recent.watchOldest((ageMs) => admission.pace(ageMs)));
  const { socket, port } = await listenOn(app, {
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_GATEWAY_PORT,
    variable: 'ORDERMESH_GATEWAY_PORT',
    shared: options.sharesPort,
  });
  const readiness = () =>
    reception.draining ? 'shutting down' : (activity?.passive() ?? intake.readiness() ?? authenticator.readiness?.());
  const desk: FrontDesk = { reception, authenticator, statuses, metrics, readiness };
  beside = await options.openBeside?.(desk);
  started.defer(() => beside?.close());
  const looking = setInterval(() => {
    endOpen();
    // Asked for its log lines.
    tls?.trouble(clock.now());
  }, LOOK_MS).unref();
  started.defer(() => clearInterval(looking));

  const registry = createProcessRegistry(role);
  metrics.register(registry, admission);
  tls?.register(registry);
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
      log: () => intake.remark?.(),
      identity: () => (authenticator.readiness?.() === undefined ? authenticator.trouble?.() : undefined),
      tls: () => tls?.trouble(clock.now()),
    },
  });
  started.defer(() => shown.close());
  const scheme = config.TLS_CERT_FILE === undefined ? 'http' : 'https';
  logger.info({ host: config.ORDERMESH_HOST, port }, `${role} takes orders`);

  const held = started.move();
  async function close(): Promise<void> {
    reception.draining = true;
    context.closing = true;
    uWS.us_listen_socket_close(socket);
    const drained = Promise.all([reception.drained(), exchangesOver(context), beside?.drain()]);
    await settlesWithin(systemTimers, config.ORDERMESH_DRAIN_TIMEOUT, drained);
    await intake.close();
    for (const stream of streams) stream.end(SERVICE_RESTART, 'service restart');
    // Answers written in this turn leave before the sockets go.
    await new Promise((resolve) => setImmediate(resolve));
    await held.disposeAsync();
    logger.info(`${role} stopped`);
  }
  let closing: Promise<void> | undefined;
  return {
    addresses: {
      [role]: `${scheme}://${hostPort(config.ORDERMESH_HOST, port)}`,
      ...beside?.addresses,
      ...shown.addresses,
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

interface IdentityOptions {
  config: Config;
  clock: Clock;
  logger: Logger;
  metrics: GatewayMetrics;
  /** Called when credentials may have ended: open connections are to be looked through. */
  onEnded: () => void;
  /** Takes what has to be closed. */
  started: AsyncDisposableStack;
}

/** Who may send orders: tokens and client certificates, and the files that decide about them. */
async function openIdentity({ config, clock, logger, metrics, onEnded, started }: IdentityOptions) {
  const files = tlsFiles(config);
  const tls =
    files &&
    (await watchTls(files, logger, () => {
      authenticator.forgetRevoked?.();
      onEnded();
    }));
  started.defer(() => tls?.close());
  const authenticator = await createAuthenticator({
    authorities: tls?.authorities,
    config,
    clock,
    logger,
    onChange: onEnded,
    onOutage() {
      metrics.identityUnavailable += 1;
    },
  });
  metrics.credentialsTrouble = () =>
    authenticator.readiness?.() ?? authenticator.trouble?.() ?? tls?.authoritiesUnread();
  started.defer(() => authenticator.close?.());
  return { files, tls, authenticator };
}

function createApp(tls: TlsFiles | undefined): TemplatedApp {
  if (tls === undefined) return uWS.App();
  const own = { cert_file_name: tls.certFile, key_file_name: tls.keyFile };
  // With authorities a certificate is asked for and not required: a wrong one ends the handshake, none leaves the token.
  return uWS.SSLApp(tls.clients === undefined ? own : { ...own, ca_file_name: tls.clients.caFile });
}
