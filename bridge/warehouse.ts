import { systemClock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config.ts';
import { defaultAdminPort, type RunningRole } from '../contracts/roles.ts';
import { startAdminServer } from '../telemetry/admin-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createProcessRegistry, metricsContentType } from '../telemetry/metrics.ts';
import { StateLog } from '../telemetry/state-log.ts';
import { type HeldRow, heldRow, loadBatch } from './event-loader.ts';
import {
  createBigQuery,
  createPubSub,
  type GoogleCloudNames,
  googleCloudAddress,
  googleCloudNames,
  requireGoogleCloud,
} from './google-cloud.ts';
import { RowWriter } from './row-writer.ts';
import { runningRole } from './running-role.ts';
import { SteadySubscription } from './steady-subscription.ts';
import { ensureTopology, loyaltyPushTarget } from './topology.ts';
import { Upkeep } from './upkeep.ts';
import { warehouseMetrics } from './warehouse-metrics.ts';
import { ensureWarehouse } from './warehouse-schema.ts';

const UPKEEP_INTERVAL_MS = 5_000;
const REOPEN_MS = 1_000;
/** Inserts under way at once: BigQuery answers in about 100 ms, and the pull stream should not wait for it. */
const WRITERS_MAX = 4;
/** BigQuery takes requests of up to 10 MB. */
const INSERT_BYTES_MAX = 5 * 1024 * 1024;
const BACKOFF_MS = 250;
const BACKOFF_MS_MAX = 10_000;

/**
 * Pulls the events and loads them into BigQuery. A message is acknowledged when its row is in a table, not before: whatever fails in
 * between, it comes again, and the view counts it once. While BigQuery is down the pulled messages are held up to the bound, and the backlog stays
 * in Pub/Sub.
 * @throws ConfigError when Google Cloud isn't configured.
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
  let held = 0;
  const metrics = warehouseMetrics(registry, () => held);
  const states = new StateLog(logger);
  const dataset = bigQuery.dataset(names.dataset);
  const tables = started.adopt(
    new Upkeep(
      'BigQuery tables',
      () => ensureWarehouse(bigQuery, address.project, names.dataset),
      logger,
      UPKEEP_INTERVAL_MS,
    ),
    (task) => task.close(),
  );
  const writer = new RowWriter<HeldRow>({
    write: async (batch) => {
      await loadBatch(dataset, batch, metrics, systemClock.now);
      held -= batch.length;
    },
    rowsMax: config.ORDERMESH_WAREHOUSE_BATCH_ROWS_MAX,
    bytesMax: INSERT_BYTES_MAX,
    writersMax: WRITERS_MAX,
    gatherMs: config.ORDERMESH_WAREHOUSE_INSERT_INTERVAL,
    backoffMs: BACKOFF_MS,
    backoffMsMax: BACKOFF_MS_MAX,
    onFailure: (error) => {
      metrics.failures.inc();
      states.begin('insert', 'BigQuery does not take rows; they are held and tried again', { err: error });
      // A table that is gone is made again before the next try; an outage shows in the readiness.
      void tables.run();
    },
    onRecovery: () => states.end('insert', 'BigQuery takes rows again'),
  });
  const subscription = new SteadySubscription(pubSub, {
    subscription: names.warehouseSubscription,
    messagesMax: config.ORDERMESH_WAREHOUSE_OUTSTANDING_MESSAGES_MAX,
    bytesMax: config.ORDERMESH_WAREHOUSE_OUTSTANDING_BYTES_MAX,
    reopenMs: REOPEN_MS,
    prepare: () => ensureTopology(pubSub, names, loyaltyPushTarget(config, names, config.ORDERMESH_LOYALTY_PORT)),
    onMessage: (message) => {
      held++;
      writer.add(heldRow(message, systemClock.now()));
    },
    logger,
  });
  started.defer(async () => {
    await writer.close();
    await subscription.close();
  });
  const admin = await startAdminServer({
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_ADMIN_PORT ?? defaultAdminPort('warehouse'),
    metrics: async () => ({ contentType: metricsContentType, text: await registry.metrics() }),
    readiness: { pubsub: () => subscription.problem, bigquery: () => tables.problem ?? writer.problem },
  });
  started.defer(() => admin.close());
  return runningRole({ admin: `http://${config.ORDERMESH_HOST}:${admin.port}` }, started.move());
}
