// The bridge role: forwards events from Kafka to Pub/Sub. Started by the command `ordermesh bridge`.

import { Registry } from 'prom-client';
import type { Config } from '../contracts/config/config.ts';
import { clusterOf } from '../contracts/config/kafka-cluster.ts';
import type { RunningRole } from '../contracts/roles.ts';
import { groups, topics } from '../contracts/topics.ts';
import { type RuntimeLimits, runtimeLimits, runtimePage, startRuntime } from '../runtime/index.ts';
import { readyDatabaseOf } from '../store/index.ts';
import { openAdminPort } from '../telemetry/admin-port.ts';
import type { Logger } from '../telemetry/logger.ts';
import { mergedScrape, snapshot } from '../telemetry/metrics.ts';
import { runningRole } from '../telemetry/running-role.ts';
import type { BridgeSettings } from './bridge-actor.ts';
import { loyaltyPushTarget } from './loyalty/push-target.ts';
import {
  createPubSub,
  type GoogleCloudNames,
  googleCloudAddress,
  googleCloudNames,
  requireGoogleCloud,
} from './pubsub/google-cloud.ts';
import { ensureTopology } from './pubsub/topology.ts';
import { Upkeep } from './upkeep.ts';

const UPKEEP_INTERVAL_MS = 5_000;

/** Topics and groups; the names of the contract unless a test uses others. */
export interface BridgeEnds {
  topic: string;
  group: string;
  names: GoogleCloudNames;
}

const contractEnds: BridgeEnds = { topic: topics.validatedOrders, group: groups.bridge, names: googleCloudNames };

/**
 * Forwards high-value events from `validated-orders` to Pub/Sub. While Pub/Sub is down the bridge is not ready, its partitions are paused
 * and the backlog stays in Kafka. It goes on by itself.
 * @throws ConfigError when Kafka or Google Cloud isn't configured; an error when Kafka can't be reached
 */
export async function startBridge(
  config: Config,
  logger: Logger,
  ends: BridgeEnds = contractEnds,
): Promise<RunningRole> {
  const cluster = clusterOf(config);
  await requireGoogleCloud('bridge', config, ['PUBSUB_EMULATOR_HOST']);
  const settings = bridgeSettings(config, ends.names);
  const pushTarget = loyaltyPushTarget(config, ends.names, config.ORDERMESH_LOYALTY_PORT);
  const registry = new Registry();
  registry.setDefaultLabels({ role: 'bridge' });
  await using started = new AsyncDisposableStack();
  const pubSub = started.adopt(createPubSub(settings.address), (client) => client.close());
  const upkeep = started.adopt(
    new Upkeep('Pub/Sub topic and subscriptions', (onMade) => ensureTopology(pubSub, ends.names, pushTarget, onMade), {
      logger,
      intervalMs: UPKEEP_INTERVAL_MS,
      registry,
    }),
    (task) => task.close(),
  );
  // An event that is published before the subscriptions exist has no reader.
  await upkeep.run();
  const database = await readyDatabaseOf(config, 'bridge', (line) => logger.warn(line));
  const runtime = await startRuntime({
    role: 'bridge',
    logger,
    group: ends.group,
    topic: ends.topic,
    cluster,
    database,
    actorModule: new URL('./bridge-actor.ts', import.meta.url),
    settings,
    slots: config.ORDERMESH_SLOTS,
    limits: bridgeLimits(config),
  });
  started.defer(() => runtime.close());
  const admin = await openAdminPort('bridge', config, {
    metrics: async () => mergedScrape([...(await runtime.metrics()), await snapshot(registry)]),
    readiness: { runtime: () => runtime.readiness(), pubsub: () => upkeep.problem },
    pages: {
      '/debug/runtime': runtimePage(runtime),
    },
  });
  started.use(admin);
  return runningRole({ admin: admin.url }, started.move());
}

/**
 * A publish has its own time limit. `prepare` also waits for room, and is given up later than the publish, so that no second publish of the
 * message begins beside the first.
 */
function bridgeLimits(config: Config): RuntimeLimits {
  const limits = runtimeLimits(config);
  const prepareMsMax = Math.max(limits.slot.prepareMsMax, 2 * config.ORDERMESH_BRIDGE_PUBLISH_DEADLINE);
  return {
    ...limits,
    slot: { ...limits.slot, prepareMsMax },
    fetchIntervalMs: config.ORDERMESH_BRIDGE_FETCH_INTERVAL,
  };
}

function bridgeSettings(config: Config, names: GoogleCloudNames): BridgeSettings {
  return {
    address: googleCloudAddress(config),
    names,
    eventTypes: [...config.ORDERMESH_BRIDGE_EVENTS],
    minTotal: config.ORDERMESH_BRIDGE_MIN_TOTAL,
    outstandingMessagesMax: config.ORDERMESH_BRIDGE_OUTSTANDING_MESSAGES_MAX,
    outstandingBytesMax: config.ORDERMESH_BRIDGE_OUTSTANDING_BYTES_MAX,
    publishDeadlineMs: config.ORDERMESH_BRIDGE_PUBLISH_DEADLINE,
  };
}
