import { turnClock } from '../../contracts/clock.ts';
import { problem } from '../../contracts/errors.ts';
import { stateEnded } from '../../telemetry/state-log.ts';
import type { FrontDesk } from '../front-desk.ts';
import { type ExchangeContext, exchangeContext } from '../http/exchange.ts';
import { MenuDesk } from '../menus/menu-desk.ts';
import { GatewayMetrics } from '../metrics.ts';
import { Admission } from '../orders/admission.ts';
import { RecentOrders } from '../orders/recent-orders.ts';
import { Reception, type Submission } from '../orders/reception.ts';
import { StatusReader } from '../status/status-reader.ts';
import { openIdentity, type ServerIdentity } from './identity.ts';
import { OpenConnections } from './open-connections.ts';
import type { IntakeServerOptions } from './options.ts';

/** The parts of one intake server, before it listens. */
export interface ServerParts {
  readonly options: IntakeServerOptions;
  readonly desk: FrontDesk;
  readonly context: ExchangeContext;
  readonly identity: ServerIdentity;
  readonly connections: OpenConnections;
  readonly menus: MenuDesk;
}

/**
 * Builds the parts of an intake server and connects them. Opens no port.
 * @param started takes what has to be closed
 * @throws ConfigError for a combination of settings that cannot be
 */
export async function buildServer(options: IntakeServerOptions, started: AsyncDisposableStack): Promise<ServerParts> {
  const { config, logger, intake, activity, streams = new Set(), clock = turnClock() } = options;
  const metrics = new GatewayMetrics();
  const connections = new OpenConnections(streams, metrics, logger);
  const identity = await openIdentity({
    config,
    clock,
    logger,
    metrics,
    onEnded: (authenticator) => connections.endCredentials(authenticator),
    started,
  });
  const { authenticator } = identity;
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
  started.defer(recent.watchOldest((ageMs) => admission.pace(ageMs)));
  const endWatch = await options.watchLog?.(() => recent.forget());
  started.defer(() => endWatch?.());
  const reception = new Reception({
    intake,
    admission,
    recent,
    metrics,
    clock,
    passive: activity?.passive,
    scans: config.ORDERMESH_ORDER_SCANNER,
  });
  const statuses = new StatusReader({
    reception,
    lookup: options.lookup,
    undecided: options.undecided,
    clock,
    onOutage: (error) => logger.warn({ err: error }, 'the status of orders cannot be read; those who ask get 503'),
    onRecovery: () => logger.info(stateEnded, 'the status of orders can be read again'),
  });
  const menus = new MenuDesk({
    source: options.menus,
    clock,
    standsBy() {
      if (reception.draining) return problem('draining', 'this instance is shutting down');
      const passive = reception.passive;
      return passive === undefined ? undefined : problem('region-passive', passive);
    },
    onOutage: (error) => logger.warn({ err: error }, 'menus cannot be read or changed; those who ask get 503'),
    onRecovery: () => logger.info(stateEnded, 'menus can be read and changed again'),
  });
  const readiness = () =>
    reception.draining ? 'shutting down' : (activity?.passive() ?? intake.readiness() ?? authenticator.readiness?.());
  return {
    options,
    desk: { reception, authenticator, statuses, metrics, readiness },
    context: exchangeContext(config, admission, metrics, logger),
    identity,
    connections,
    menus,
  };
}
