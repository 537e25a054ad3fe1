import { systemClock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config.ts';
import { defaultAdminPort, type RunningRole } from '../contracts/roles.ts';
import { startAdminServer } from '../telemetry/admin-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createProcessRegistry, metricsContentType } from '../telemetry/metrics.ts';
import { acceptedAtOf } from '../telemetry/order-age.ts';
import { StateLog } from '../telemetry/state-log.ts';
import { type HeldRow, heldRow, insertEvents, parkRows } from './event-loader.ts';
import {
  createBigQuery,
  createPubSub,
  type GoogleCloudNames,
  googleCloudAddress,
  googleCloudNames,
  requireGoogleCloud,
} from './google-cloud.ts';
import { RowIsolation } from './row-isolation.ts';
import { RowWriter } from './row-writer.ts';
import { runningRole } from './running-role.ts';
import { SteadySubscription } from './steady-subscription.ts';
import { SuspectRows } from './suspect-rows.ts';
import { checkSubscription, ensureTopology, loyaltyPushTarget } from './topology.ts';
import { Upkeep } from './upkeep.ts';
import { warehouseMetrics } from './warehouse-metrics.ts';
import { ensureWarehouse } from './warehouse-schema.ts';

const UPKEEP_INTERVAL_MS = 5_000;
const REOPEN_MS = 1_000;
/** Inserts under way at once: BigQuery answers in about 100 ms, and the pull stream should not wait for it. */
const WRITERS_MAX = 4;
/** BigQuery takes requests of up to 10 MB. */
const INSERT_BYTES_MAX = 5 * 1024 * 1024;
const PARKED_ROWS_MAX = 50;
const BACKOFF_MS = 250;
const BACKOFF_MS_MAX = 10_000;

/**
 * Pulls the events and loads them into BigQuery. A message is acknowledged when its row is in a table, not before: whatever fails in
 * between, it comes again, and the view counts it once. A row that BigQuery does not take while it takes others is parked. While BigQuery is down the pulled messages are held up to the bound, and the backlog stays
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
  const held = { messages: 0, bytes: 0 };
  const metrics = warehouseMetrics(registry, { held: () => held.messages, suspects: () => suspects.count });
  const states = new StateLog(logger);
  const upkeep = { logger, intervalMs: UPKEEP_INTERVAL_MS, registry };
  const dataset = bigQuery.dataset(names.dataset);
  const tables = started.adopt(
    new Upkeep(
      'BigQuery tables',
      (onMade) => ensureWarehouse(bigQuery, address.project, names.dataset, onMade),
      upkeep,
    ),
    (task) => task.close(),
  );
  const insert = (rows: readonly HeldRow[]) => insertEvents(dataset, rows, metrics, systemClock.now);
  const acknowledge = (rows: readonly HeldRow[]) => {
    for (const { message } of rows) {
      message.ack();
      held.messages--;
      held.bytes -= message.data.length;
    }
  };
  const onLoaded = (rows: readonly HeldRow[]) => {
    for (const { message } of rows) {
      const acceptedAtMs = acceptedAtOf(message.attributes.acceptedtime);
      if (acceptedAtMs !== undefined) metrics.orderAge('warehouse', acceptedAtMs);
    }
    acknowledge(rows);
  };
  const trouble = {
    onFailure: (error: Error) => {
      metrics.failures.inc();
      // A table that is gone is made again before the next try; an outage shows in the readiness.
      void tables.run();
      logger.debug({ err: error }, 'BigQuery did not take a batch');
    },
    backoffMs: BACKOFF_MS,
    backoffMsMax: BACKOFF_MS_MAX,
  };
  /** Its rows are small and of our own making; no row is acknowledged before it is in the parking table. */
  const parking = new RowWriter<HeldRow>({
    ...trouble,
    write: async (rows) => {
      await parkRows(dataset, rows, metrics, systemClock.now);
      acknowledge(rows);
    },
    rowsMax: PARKED_ROWS_MAX,
    bytesMax: INSERT_BYTES_MAX,
    writersMax: 1,
    gatherMs: 0,
  });
  const onRefused = ({ message, row, ...rest }: HeldRow, reason: string) => {
    logger.error(
      { messageId: message.id, eventId: row?.event_id, orderId: row?.order_id, reason },
      'message can not be loaded; parked in order_events_parked',
    );
    parking.add({ ...rest, message, reason });
  };
  const isolation = new RowIsolation<HeldRow>({
    insert,
    onLoaded,
    onSuspect: (row, error) => {
      logger.warn(
        { messageId: row.message.id, eventId: row.row?.event_id, err: error },
        'BigQuery does not take a row and takes others; trying it alone',
      );
      suspects.add(row, error);
    },
  });
  const suspects = new SuspectRows<HeldRow>({
    insert,
    works: () => isolation.works(),
    onLoaded,
    onRefused,
    backoffMs: BACKOFF_MS,
    backoffMsMax: BACKOFF_MS_MAX,
  });
  const writer = new RowWriter<HeldRow>({
    ...trouble,
    write: (batch) => isolation.load(batch),
    rowsMax: config.ORDERMESH_WAREHOUSE_BATCH_ROWS_MAX,
    bytesMax: INSERT_BYTES_MAX,
    writersMax: WRITERS_MAX,
    gatherMs: config.ORDERMESH_WAREHOUSE_INSERT_INTERVAL,
    onFailure: (error) => {
      states.begin('insert', 'BigQuery does not take rows; they are held and tried again', { err: error });
      trouble.onFailure(error);
    },
    onRecovery: () => states.end('insert', 'BigQuery takes rows again'),
  });
  const pushTarget = loyaltyPushTarget(config, names, config.ORDERMESH_LOYALTY_PORT);
  // A pull stream over a connection that has died in silence shows nothing: a question with a deadline does.
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
      // One that has lost its topic is read to its end.
      await checkSubscription(pubSub, names.warehouseSubscription);
    },
    held: () => held,
    onMessage: (message) => {
      held.messages++;
      held.bytes += message.data.length;
      const row = heldRow(message, systemClock.now());
      if (row.row === undefined) onRefused(row, row.reason ?? 'no order event');
      else writer.add(row);
    },
    logger,
  });
  started.defer(async () => {
    await Promise.all([writer.close(), suspects.close(), parking.close()]);
    await subscription.close();
  });
  const admin = await startAdminServer({
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_ADMIN_PORT ?? defaultAdminPort('warehouse'),
    metrics: async () => ({ contentType: metricsContentType, text: await registry.metrics() }),
    readiness: {
      pubsub: () => subscription.problem ?? topology.problem,
      bigquery: () => tables.problem ?? writer.problem ?? parking.problem ?? suspects.problem,
    },
  });
  started.defer(() => admin.close());
  return runningRole({ admin: `http://${config.ORDERMESH_HOST}:${admin.port}` }, started.move());
}
