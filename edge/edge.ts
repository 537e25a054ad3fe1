import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Config, ConfigError } from '../contracts/config/config.ts';
import { settlesWithin } from '../contracts/deadline.ts';
import type { RunningRole } from '../contracts/roles.ts';
import { systemTimers } from '../contracts/timers.ts';
import { type OrderStream, startIntakeServer } from '../gateway/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Forwarder } from './forwarder/forwarder.ts';
import { type Kitchen, startKitchen } from './kitchen/kitchen.ts';
import { openEdgeMenus } from './menu/edge-menus.ts';
import { edgeMetrics } from './metrics.ts';
import { edgeSettings } from './settings.ts';
import { SpoolClient } from './spool/client.ts';
import { createSpoolIntake } from './spool-intake.ts';
import { StatusKeeper } from './status.ts';
import { kitchenStatus, type RegionStatus, regionStatus, statusLookup } from './status-lookup.ts';
import { StatusRelay } from './status-relay.ts';
import { StoreToken } from './store-token.ts';
import { edgeVitals } from './vitals.ts';

/**
 * The agent in the restaurant: the gateway's ingress on a durable spool, and the forwarder that brings the orders to the region.
 * @throws ConfigError for invalid settings, before the spool is opened; Error when another agent uses the spool.
 */
export async function startEdge(config: Config, logger: Logger): Promise<RunningRole> {
  const { upstream, tokenFile, spoolPath } = edgeSettings(config);
  const token = new StoreToken(tokenFile);
  mkdirSync(dirname(spoolPath), { recursive: true, mode: 0o700 });
  const spool = await SpoolClient.open({
    path: spoolPath,
    unsentOrdersMax: config.ORDERMESH_EDGE_UNSENT_ORDERS_MAX,
    bytesMax: config.ORDERMESH_EDGE_SPOOL_BYTES_MAX,
    diskFreeMin: config.ORDERMESH_EDGE_DISK_FREE_MIN,
    replayWindowMs: config.ORDERMESH_EDGE_REPLAY_WINDOW,
    deadlineMs: config.ORDERMESH_PRODUCE_DEADLINE,
    onSalvage: (report) => logger.error({ report }, 'the spool was damaged and has been salvaged'),
    onDeath: (error) => die(error, logger),
  });
  const counts = await spool.counts();
  logger.info({ spool: spoolPath, unsent: counts.unsent, confirmed: counts.confirmed }, 'the spool is open');
  const streams = new Set<OrderStream>();
  const forwarder = new Forwarder({
    spool,
    upstream,
    token: () => token.read(),
    region: counts.region ?? undefined,
    ordersMax: config.ORDERMESH_EDGE_BATCH_ORDERS_MAX,
    gzip: config.ORDERMESH_EDGE_GZIP,
    bandwidthMax: config.ORDERMESH_EDGE_BANDWIDTH_MAX,
    answerMsMax: config.ORDERMESH_EDGE_ANSWER_TIMEOUT,
    backoffMsMax: config.ORDERMESH_EDGE_BACKOFF_MAX,
    probeMs: config.ORDERMESH_EDGE_PROBE_INTERVAL,
    // The region's stream has no message about an order that the region's gateway refused.
    onRefused(orderId, detail) {
      const status = detail.startsWith('order-conflict') ? 'conflicting' : 'rejected';
      for (const stream of streams) stream.push({ type: 'order.status', orderId, status, detail });
    },
    logger,
  });
  const status = new StatusKeeper(spool, spoolPath, forwarder, counts, logger);
  const isLineUp = () => forwarder.line.state === 'up';
  const ofRegion = regionStatus({ upstream, token: () => token.read(), isLineUp });
  // Without the claim `store` the agent does not know whose menu to ask for.
  const { store: storeId } = token;
  const menus =
    storeId === undefined
      ? undefined
      : openEdgeMenus({ config, upstream, spoolPath, storeId, token: () => token.read(), logger });
  const relay = new StatusRelay({
    upstream,
    token: () => token.read(),
    streams,
    logger,
    ...(menus === undefined ? {} : { onMenu: (message) => menus.changed(message) }),
  });
  relay.opened();
  let kitchen: Kitchen | undefined;
  const stopSending = async () => {
    relay.close();
    await menus?.close();
    await kitchen?.close();
    status.close();
    await forwarder.close();
  };
  const intake = createSpoolIntake({
    spool,
    urgentChannels: config.ORDERMESH_EDGE_URGENT_CHANNELS,
    store: () => token.store,
    refusal: () => status.refusal,
    wrote: (error) => status.wrote(error),
    faults: (order) => menus?.faults(order) ?? [],
    onUnfit: () => menus?.refused(),
    onKept(order, acceptedAt) {
      forwarder.wake();
      kitchen?.taken(order, acceptedAt);
    },
  });
  try {
    kitchen = await openKitchen(config, logger, { spool, spoolPath, token, ofRegion, isLineUp });
    const metrics = edgeMetrics(forwarder, status);
    menus?.register(metrics);
    const server = await startIntakeServer({
      config,
      logger,
      role: 'edge',
      // The spool closes after the ingress: orders that the spool has taken are forwarded until the end.
      intake: { ...intake, close: async () => {} },
      lookup: statusLookup({ spool, ofRegion }),
      menus,
      streams,
      onStream: () => relay.opened(),
      showVitals: edgeVitals(config, metrics, status, menus),
    });
    return {
      addresses: { ...server.addresses, ...(kitchen === undefined ? {} : { 'edge kitchen': kitchen.address }) },
      async close() {
        await server.close();
        // The forwarder may wait for a disk that hangs; closing the spool ends that wait at the deadline.
        const sending = stopSending();
        await settlesWithin(systemTimers, config.ORDERMESH_PRODUCE_DEADLINE, sending);
        await spool.close();
        await sending;
      },
    };
  } catch (error) {
    await stopSending();
    await spool.close();
    throw error;
  }
}

interface KitchenParts {
  spoolPath: string;
  spool: SpoolClient;
  token: StoreToken;
  ofRegion: RegionStatus;
  isLineUp(): boolean;
}

async function openKitchen(config: Config, logger: Logger, parts: KitchenParts): Promise<Kitchen | undefined> {
  const { ORDERMESH_EDGE_KITCHEN: policy, ORDERMESH_EDGE_KITCHEN_UPSTREAM: upstream } = config;
  if (policy === 'off' || upstream === undefined) return undefined;
  const { spool, spoolPath, token, ofRegion, isLineUp } = parts;
  if (token.store === undefined)
    throw new ConfigError(
      'ORDERMESH_EDGE_KITCHEN needs to know the store; ORDERMESH_EDGE_TOKEN_FILE takes a token with the claim `store`',
    );
  return startKitchen({
    config,
    storeId: token.store,
    upstream,
    spoolPath,
    spool,
    statusOf: kitchenStatus({ spool, ofRegion, logger }),
    forwards: isLineUp,
    logger,
  });
}

/** Without the spool the agent cannot accept an order: the process ends, and its supervisor starts the agent again. */
function die(error: Error, logger: Logger): void {
  logger.error({ err: error }, 'the thread of the spool has ended; the agent stops');
  process.exit(1);
}
