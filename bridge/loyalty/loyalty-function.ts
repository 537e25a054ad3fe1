// The loyalty role: serves the function on this machine, and points Pub/Sub's push subscription at it.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cloudEvent } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { Counter, type Registry } from 'prom-client';
import { type Config, ConfigError } from '../../contracts/config/config.ts';
import { assertSimulationAllowed } from '../../contracts/config/simulation.ts';
import { hostPort } from '../../contracts/local-url.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { describeError } from '../../runtime/outage.ts';
import { BoundedPool, probeLedger, readyDatabaseOf } from '../../store/index.ts';
import { openAdminPort } from '../../telemetry/admin-port.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createProcessRegistry } from '../../telemetry/metrics.ts';
import { runningRole } from '../../telemetry/running-role.ts';
import {
  createPubSub,
  type GoogleCloudNames,
  googleCloudAddress,
  googleCloudNames,
  requireGoogleCloud,
} from '../pubsub/google-cloud.ts';
import { ensureTopology, pointLoyaltyAt } from '../pubsub/topology.ts';
import { Upkeep } from '../upkeep.ts';
import { createLoyaltyHandler, type LoyaltyHandlerOptions, type LoyaltyOutcome } from './loyalty-handler.ts';
import { google, guardPushes, type TokenIssuer } from './push-guard.ts';
import { loyaltyPushTarget, type PushTarget } from './push-target.ts';

const UPKEEP_INTERVAL_MS = 5_000;
const PROBE_INTERVAL_MS = 5_000;
/** Pushes arrive in parallel; each is one small statement. */
const CONNECTIONS = 8;
/** Shorter than Pub/Sub's wait for the answer to a push. */
const LEDGER_MS_MAX = 10_000;

/**
 * Serves the loyalty function as Cloud Functions would, on the functions framework, and points the push subscription at it.
 * @throws ConfigError when DATABASE_URL or Google Cloud isn't configured, or Pub/Sub could not reach the function
 */
export async function startLoyalty(
  config: Config,
  logger: Logger,
  names: GoogleCloudNames = googleCloudNames,
  issuer: TokenIssuer = google,
): Promise<RunningRole> {
  assertSimulationAllowed('loyalty', config);
  await requireGoogleCloud('loyalty', config, ['PUBSUB_EMULATOR_HOST']);
  await using started = new AsyncDisposableStack();
  const database = await readyDatabaseOf(config, 'loyalty', (line) => logger.warn(line));
  if (database === undefined) throw new ConfigError('loyalty needs DATABASE_URL, the PostgreSQL of the points ledger');
  const pool = started.adopt(
    new BoundedPool({
      server: database,
      connections: CONNECTIONS,
      application: 'loyalty',
      answerMsMax: LEDGER_MS_MAX,
    }),
    (ledger) => ledger.close(),
  );
  const registry = createProcessRegistry('loyalty');
  const unitsPerPoint = config.ORDERMESH_LOYALTY_UNITS_PER_POINT;
  const ledger = started.adopt(new LedgerWatch(registry, logger, () => pool.call(probeLedger)), (watch) =>
    watch.close(),
  );
  const server = functionServer({
    pool,
    unitsPerPoint,
    onOutcome: (outcome, points, reason) => ledger.handled(outcome, points, reason),
    onFailure: (reason, messageId) => ledger.failed(reason, messageId),
  });
  const port = await listen(server, config.ORDERMESH_HOST, config.ORDERMESH_LOYALTY_PORT);
  started.defer(() => closeServer(server));
  const target = reachable(config, names, port);
  if (target.serviceAccount !== undefined)
    guardPushes(server, { serviceAccount: target.serviceAccount, audience: target.endpoint, registry, logger, issuer });
  else
    logger.warn('ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT is not set: anyone who can reach the function can push to it');
  const pubSub = started.adopt(createPubSub(googleCloudAddress(config)), (client) => client.close());
  const upkeep = started.adopt(
    new Upkeep(
      'push subscription',
      async (onMade) => {
        await ensureTopology(pubSub, names, target, onMade);
        await pointLoyaltyAt(pubSub, names, target);
      },
      { logger, intervalMs: UPKEEP_INTERVAL_MS, registry },
    ),
    (task) => task.close(),
  );
  const admin = await openAdminPort('loyalty', config, {
    metrics: registry,
    readiness: { pubsub: () => upkeep.problem, ledger: () => ledger.problem },
  });
  started.use(admin);
  logger.info({ endpoint: target.endpoint }, 'loyalty function is serving');
  const loyalty = `http://${hostPort(config.ORDERMESH_HOST, port)}`;
  return runningRole({ loyalty, admin: admin.url }, started.move());
}

/**
 * The framework gives programs its server through its testing module only. It is the same server that its command line starts, but signals
 * and exits stay with the role.
 */
export function functionServer(options: LoyaltyHandlerOptions): Server {
  cloudEvent('loyalty', createLoyaltyHandler(options));
  return getTestServer('loyalty');
}

function reachable(config: Config, names: GoogleCloudNames, port: number): PushTarget {
  const target = loyaltyPushTarget(config, names, port);
  if (target !== undefined) return target;
  throw new ConfigError(
    'loyalty needs ORDERMESH_LOYALTY_PUSH_ENDPOINT, the https URL at which Pub/Sub reaches the function',
  );
}

/**
 * Counts the results of pushed messages, and remembers whether the last write to the ledger succeeded. After a failed write it probes the
 * ledger itself: a function that is not ready may get no pushes, so it would stay unready without a probe.
 */
class LedgerWatch {
  readonly #logger: Logger;
  readonly #probe: () => Promise<void>;
  readonly #events: Counter<'outcome'>;
  readonly #points: Counter;
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(registry: Registry, logger: Logger, probe: () => Promise<void>) {
    this.#logger = logger;
    this.#probe = probe;
    this.#events = new Counter({
      name: 'ordermesh_loyalty_events_total',
      help: 'Pushed events by outcome: credited, duplicate, ignored, refused; failed for each attempt that Pub/Sub has to repeat.',
      labelNames: ['outcome'],
      registers: [registry],
    });
    this.#points = new Counter({
      name: 'ordermesh_loyalty_points_total',
      help: 'Points credited to customers.',
      registers: [registry],
    });
  }

  /** Why events are not credited now, or `undefined`. */
  get problem(): string | undefined {
    return this.#problem;
  }

  handled(outcome: LoyaltyOutcome, points: number, reason?: string): void {
    this.#events.inc({ outcome });
    this.#points.inc(points);
    if (outcome === 'refused') this.#logger.warn({ reason }, 'pushed message refused; recorded in loyalty_refused');
    // An ignored event did not reach the ledger.
    if (outcome !== 'ignored') this.#recovered();
  }

  failed(reason: string, messageId: string): void {
    this.#events.inc({ outcome: 'failed' });
    if (this.#problem === undefined)
      this.#logger.error({ reason, messageId }, 'the points ledger can not be written; Pub/Sub pushes again');
    this.#problem = reason;
    this.#timer ??= setInterval(() => void this.#ask(), PROBE_INTERVAL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Never rejects: `problem` has the result. */
  async #ask(): Promise<void> {
    try {
      await this.#probe();
      this.#recovered();
    } catch (error) {
      if (this.#problem !== undefined) this.#problem = describeError(error);
    }
  }

  #recovered(): void {
    if (this.#problem === undefined) return;
    this.#problem = undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#logger.info('the points ledger is written again');
  }
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

/** Waits until requests in flight are answered. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
