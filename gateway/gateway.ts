// The role `gateway`: the intake server with Kafka and the database. Started by `ordermesh gateway`, alone or in a cluster.

import { turnClock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config/config.ts';
import { clusterOf, type KafkaCluster } from '../contracts/config/kafka-cluster.ts';
import type { RunningRole } from '../contracts/roles.ts';
import { topics } from '../contracts/topics.ts';
import { createTopicLog, registerRefusals } from '../kafka/index.ts';
import { watchActivity } from '../region/index.ts';
import { databaseOf } from '../store/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openGrpc } from './grpc/server.ts';
import { databaseMenus } from './menus/database-menus.ts';
import { createMenuFeed } from './menus/menu-feed.ts';
import { connectingProducer } from './orders/connecting-producer.ts';
import { watchKafka } from './orders/kafka-health.ts';
import { createKafkaIntake } from './orders/kafka-intake.ts';
import { watchOrderLog } from './orders/order-log-watch.ts';
import type { IntakeServerOptions } from './server/options.ts';
import { startIntakeServer } from './server.ts';
import { createStatusFeed } from './status/status-feed.ts';
import { databaseStatus } from './status/status-source.ts';
import { UndecidedOrders } from './status/undecided-orders.ts';
import type { Stream } from './websocket/stream.ts';

export interface GatewayOptions extends Pick<IntakeServerOptions, 'sharesPort' | 'showVitals'> {
  /** Also open gRPC, which cannot share a port between processes. Default: yes. */
  opensGrpc?: boolean;
}

/**
 * The gateway of a region: HTTP, WebSocket and gRPC in, `raw-orders` out. It starts without Kafka and answers orders with 503 until Kafka
 * can be reached. Without a database, only questions for menus and for the status of orders are answered with 503.
 * @throws ConfigError for settings that are missing or contradict each other.
 */
export async function startGateway(
  config: Config,
  logger: Logger,
  { opensGrpc = true, ...options }: GatewayOptions = {},
): Promise<RunningRole> {
  const cluster = clusterOf(config);
  const deadlineMs = config.ORDERMESH_PRODUCE_DEADLINE;
  const producer = await connectingProducer(
    { clientId: 'ordermesh-gateway', cluster, deadlineMs, lingerMs: config.ORDERMESH_PRODUCE_LINGER },
    logger,
  );
  const source = `/ordermesh/gateway/${encodeURIComponent(config.REGION)}`;
  const clock = turnClock();
  const intake = createKafkaIntake({ producer, health: watchKafka(cluster, { logger }), logger, clock, source });
  if (config.DATABASE_URL === undefined)
    logger.warn('DATABASE_URL is not set: orders are taken, and questions for their status are answered with 503');
  const statuses = databaseStatus(databaseOf(config));
  const menus = databaseMenus({
    server: databaseOf(config),
    producer,
    source,
    windowMs: config.ORDERMESH_MENU_REPLAY_WINDOW,
  });
  const undecided = new UndecidedOrders({ cluster, clock });
  const streams = new Set<Stream>();
  const activity = watchActivity(config, logger);
  const feeds = [createStatusFeed({ cluster, streams, logger }), createMenuFeed({ cluster, streams, logger })];
  const closing = () => [
    ...feeds.map((feed) => feed.close()),
    statuses.close(),
    menus.close(),
    undecided.close(),
    activity?.close(),
  ];
  try {
    const server = await startIntakeServer({
      ...options,
      config,
      logger,
      clock,
      role: 'gateway',
      intake,
      lookup: statuses.lookup,
      lookupTrouble: statuses.trouble,
      undecided: undecided.find,
      menus,
      streams,
      activity,
      onStream() {
        for (const feed of feeds) feed.opened();
      },
      registerMetrics: registerRefusals,
      watchLog: (forget) => watchLogs(config, cluster, logger, forget),
      openTransport: opensGrpc ? openGrpc(config) : undefined,
    });
    return {
      addresses: server.addresses,
      async close() {
        await server.close();
        await Promise.all(closing());
      },
    };
  } catch (error) {
    await Promise.allSettled([intake.close(), ...closing()]);
    throw error;
  }
}

/** Topics whose loss a repeat of the order repairs: the gateway appends it to raw-orders again, and the order-validator then repeats its decision. */
const repeatable = [topics.rawOrders, topics.validatedOrders];

async function watchLogs(
  config: Config,
  cluster: KafkaCluster,
  logger: Logger,
  forget: () => void,
): Promise<() => Promise<void>> {
  const ends = await Promise.all(
    repeatable.map((topic) =>
      watchOrderLog({
        topic,
        log: createTopicLog({ clientId: 'ordermesh-gateway-log', cluster, topic }),
        partitions: config.ORDERMESH_PARTITIONS,
        windowMs: config.ORDERMESH_RECENT_AGE,
        logger,
        forget,
      }),
    ),
  );
  return async () => {
    await Promise.all(ends.map((end) => end()));
  };
}
