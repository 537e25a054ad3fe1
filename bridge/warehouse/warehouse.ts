import type { Config } from '../../contracts/config/config.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { openAdminPort } from '../../telemetry/admin-port.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createProcessRegistry } from '../../telemetry/metrics.ts';
import { runningRole } from '../../telemetry/running-role.ts';
import { loyaltyPushTarget } from '../loyalty/push-target.ts';
import {
  createBigQuery,
  createPubSub,
  type GoogleCloudNames,
  googleCloudAddress,
  googleCloudNames,
  requireGoogleCloud,
} from '../pubsub/google-cloud.ts';
import { SteadySubscription } from '../pubsub/steady-subscription.ts';
import { checkSubscription, ensureTopology } from '../pubsub/topology.ts';
import { Upkeep } from '../upkeep.ts';
import { HeldMessages } from './held-messages.ts';
import { warehouseMetrics } from './warehouse-metrics.ts';
import { ensureWarehouse } from './warehouse-schema.ts';

const UPKEEP_INTERVAL_MS = 5_000;
const REOPEN_MS = 1_000;

/**
 * Pulls the events and loads them into BigQuery. A message is acknowledged after its row is in a table (`HeldMessages`): after a failure
 * the message is delivered again, and the view counts it once. While BigQuery is down, pulled messages are held up to the limit, and the
 * backlog stays in Pub/Sub.
 * @throws ConfigError when Google Cloud isn't configured
 */
export async function startWarehouse(
  config: Config,
  logger: Logger,
  names: GoogleCloudNames = googleCloudNames,
): Promise<RunningRole> {
  await requireGoogleCloud('warehouse', config, ['PUBSUB_EMULATOR_HOST', 'BIGQUERY_EMULATOR_HOST']);
  const address = googleCloudAddress(config);
  await using started = new AsyncDisposableStack();
  const pubSub = started.adopt(createPubSub(address), (client) => client.close());
  const bigQuery = createBigQuery(address, config.ORDERMESH_WAREHOUSE_INSERT_TIMEOUT);
  const registry = createProcessRegistry('warehouse');
  const metrics = warehouseMetrics(registry, {
    held: () => held.counts.messages,
    suspects: () => held.suspects,
  });
  const upkeep = { logger, intervalMs: UPKEEP_INTERVAL_MS, registry };
  const tables = started.adopt(
    new Upkeep(
      'BigQuery tables',
      (onMade) => ensureWarehouse(bigQuery, address.project, names.dataset, onMade),
      upkeep,
    ),
    (task) => task.close(),
  );
  const held = new HeldMessages({
    dataset: bigQuery.dataset(names.dataset),
    config,
    metrics,
    logger,
    restoreTables: () => void tables.run(),
  });
  const pushTarget = loyaltyPushTarget(config, names, config.ORDERMESH_LOYALTY_PORT);
  // A dead connection can't be seen in the pull stream, but in a request with a time limit.
  const topology = started.adopt(
    new Upkeep(
      'Pub/Sub topic and subscriptions',
      (onMade) => ensureTopology(pubSub, names, pushTarget, onMade),
      upkeep,
    ),
    (task) => task.close(),
  );
  const subscription = new SteadySubscription(pubSub, {
    subscription: names.warehouseSubscription,
    messagesMax: config.ORDERMESH_WAREHOUSE_OUTSTANDING_MESSAGES_MAX,
    bytesMax: config.ORDERMESH_WAREHOUSE_OUTSTANDING_BYTES_MAX,
    reopenMs: REOPEN_MS,
    async prepare() {
      await topology.run();
      // A subscription that has lost its topic is still read to its end.
      await checkSubscription(pubSub, names.warehouseSubscription);
    },
    held: () => held.counts,
    onMessage: (message) => held.add(message),
    logger,
  });
  started.defer(async () => {
    await held.close();
    await subscription.close();
  });
  const admin = await openAdminPort('warehouse', config, {
    metrics: registry,
    readiness: {
      pubsub: () => subscription.problem ?? topology.problem,
      bigquery: () => tables.problem ?? held.problem,
    },
  });
  started.use(admin);
  return runningRole({ admin: admin.url }, started.move());
}
