import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cloudEvent } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { Counter, type Registry } from 'prom-client';
import { type Config, ConfigError } from '../contracts/config.ts';
import { isLoopback } from '../contracts/loopback.ts';
import { defaultAdminPort, type RunningRole } from '../contracts/roles.ts';
import { connectDatabase } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import { startAdminServer } from '../telemetry/admin-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createProcessRegistry, metricsContentType } from '../telemetry/metrics.ts';
import {
  createPubSub,
  type GoogleCloudNames,
  googleCloudAddress,
  googleCloudNames,
  requireGoogleCloud,
} from './google-cloud.ts';
import { createLoyaltyHandler, type LoyaltyHandlerOptions } from './loyalty-handler.ts';
import { google, guardPushes, type TokenIssuer } from './push-guard.ts';
import { runningRole } from './running-role.ts';
import { ensureTopology, loyaltyPushTarget, type PushTarget, pointLoyaltyAt } from './topology.ts';
import { Upkeep } from './upkeep.ts';

const UPKEEP_INTERVAL_MS = 5_000;
/** Pushes come in parallel, and each is one small statement. */
const CONNECTIONS = 8;
const POOL_CLOSE_SECONDS = 5;

/**
 * Serves the loyalty function as Cloud Functions would, on the functions framework, and points the push subscription at it.
 * @throws ConfigError when DATABASE_URL or Google Cloud isn't configured, or nobody could reach the function.
 */
export async function startLoyalty(
  config: Config,
  logger: Logger,
  names: GoogleCloudNames = googleCloudNames,
  issuer: TokenIssuer = google,
): Promise<RunningRole> {
  requireAccount(config);
  await requireGoogleCloud('loyalty', config, ['PUBSUB_EMULATOR_HOST']);
  if (config.DATABASE_URL === undefined)
    throw new ConfigError('loyalty needs DATABASE_URL, the PostgreSQL of the points ledger');
  await using started = new AsyncDisposableStack();
  const sql = started.adopt(
    connectDatabase({ url: config.DATABASE_URL, connections: CONNECTIONS, application: 'loyalty' }),
    (pool) => pool.end({ timeout: POOL_CLOSE_SECONDS }),
  );
  await migrate(sql);
  const registry = createProcessRegistry('loyalty');
  const unitsPerPoint = config.ORDERMESH_LOYALTY_UNITS_PER_POINT;
  const server = functionServer({ sql, unitsPerPoint, ...watch(registry, logger) });
  const port = await listen(server, config.ORDERMESH_HOST, config.ORDERMESH_LOYALTY_PORT);
  started.defer(() => closeServer(server));
  const target = reachable(config, names, port);
  if (target.serviceAccount !== undefined)
    guardPushes(server, { serviceAccount: target.serviceAccount, audience: target.endpoint, registry, logger, issuer });
  else logger.warn('ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT is not set: whoever reaches the function can push to it');
  const pubSub = started.adopt(createPubSub(googleCloudAddress(config)), (client) => client.close());
  const upkeep = started.adopt(
    new Upkeep(
      'push subscription',
      async () => {
        await ensureTopology(pubSub, names, target);
        await pointLoyaltyAt(pubSub, names, target);
      },
      logger,
      UPKEEP_INTERVAL_MS,
    ),
    (task) => task.close(),
  );
  const admin = await startAdminServer({
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_ADMIN_PORT ?? defaultAdminPort('loyalty'),
    metrics: async () => ({ contentType: metricsContentType, text: await registry.metrics() }),
    readiness: { pubsub: () => upkeep.problem },
  });
  started.defer(() => admin.close());
  logger.info({ endpoint: target.endpoint }, 'loyalty function is serving');
  const host = `http://${config.ORDERMESH_HOST}`;
  return runningRole({ loyalty: `${host}:${port}`, admin: `${host}:${admin.port}` }, started.move());
}

/**
 * The framework offers its server to programs through its testing module alone; it is the same server that its command line starts, without
 * that command's hold on the process: signals and exits stay with the role.
 */
export function functionServer(options: LoyaltyHandlerOptions): Server {
  cloudEvent('loyalty', createLoyaltyHandler(options));
  return getTestServer('loyalty');
}

/** Google's emulator sends no token, so there is nothing to check there; nor on this machine alone. */
function requireAccount(config: Config): void {
  const {
    ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT: account,
    PUBSUB_EMULATOR_HOST: emulator,
    ORDERMESH_HOST: host,
  } = config;
  if (account === undefined && emulator === undefined && !isLoopback(host))
    throw new ConfigError(
      `ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT is not set while ORDERMESH_HOST is ${JSON.stringify(host)}; it takes the e-mail address of the service account whose token Pub/Sub sends, or set ORDERMESH_HOST to a loopback address`,
    );
}

function reachable(config: Config, names: GoogleCloudNames, port: number): PushTarget {
  const target = loyaltyPushTarget(config, names, port);
  if (target !== undefined) return target;
  throw new ConfigError(
    'loyalty needs ORDERMESH_LOYALTY_PUSH_ENDPOINT, the https URL at which Pub/Sub reaches the function',
  );
}

function watch(registry: Registry, logger: Logger): Pick<LoyaltyHandlerOptions, 'onOutcome'> {
  const events = new Counter({
    name: 'ordermesh_loyalty_events_total',
    help: 'Pushed events by outcome: credited, duplicate, ignored, refused.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const credited = new Counter({
    name: 'ordermesh_loyalty_points_total',
    help: 'Points credited to customers.',
    registers: [registry],
  });
  return {
    onOutcome(outcome, points, reason) {
      events.inc({ outcome });
      credited.inc(points);
      if (outcome === 'refused') logger.warn({ reason }, 'pushed message refused; recorded in loyalty_refused');
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      reject(new Error(`loyalty port ${port} on ${host} is in use; stop what holds it or set ORDERMESH_LOYALTY_PORT`));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Requests under way are answered first. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
