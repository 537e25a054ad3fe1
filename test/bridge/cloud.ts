import type { PubSub } from '@google-cloud/pubsub';
import { describe, test } from 'vitest';
import {
  createBigQuery,
  createPubSub,
  type GoogleCloudNames,
  googleCloudAddress,
} from '../../bridge/pubsub/google-cloud.ts';
import { eventsTable, httpStatus, ordersView, parkedTable } from '../../bridge/warehouse/warehouse-schema.ts';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import { uniqueName } from '../support/servers.ts';

/** The emulators that these tests need and that are not installed. */
const missing = ['PUBSUB_EMULATOR_HOST', 'BIGQUERY_EMULATOR_HOST'].filter((name) => process.env[name] === undefined);

/** A suite on the Google Cloud emulators. Skipped by name if they are not installed, which is a failure with CI=true. */
export function describeGoogleCloud(name: string, suite: () => void): void {
  if (missing.length > 0 && process.env.CI === 'true') {
    describe(name, () => {
      test('has its emulators', () => {
        throw new Error(`with CI=true these tests must run: set ${missing.join(' and ')}`);
      });
    });
  } else {
    describe.skipIf(missing.length > 0)(missing.length > 0 ? `${name} (needs ${missing.join(', ')})` : name, suite);
  }
}

/** A project of its own, so that tests on one emulator don't meet. The names are those of the contract. */
export function testConfig(overrides: Record<string, string> = {}): Config {
  return loadConfig({
    ...process.env,
    GOOGLE_CLOUD_PROJECT: uniqueName('p'),
    ORDERMESH_ADMIN_PORT: '0',
    ORDERMESH_LOYALTY_PORT: '0',
    ORDERMESH_LOG_LEVEL: 'silent',
    ...overrides,
  });
}

export function testNames(): GoogleCloudNames {
  const suffix = uniqueName('t');
  return {
    topic: `order-events-${suffix}`,
    loyaltySubscription: `loyalty-${suffix}`,
    warehouseSubscription: `warehouse-${suffix}`,
    // BigQuery allows no hyphen in the name of a dataset.
    dataset: `ordermesh_${suffix.replaceAll('-', '_')}`,
  };
}

export function pubSubOf(config: Config): PubSub {
  return createPubSub({ project: config.GOOGLE_CLOUD_PROJECT, pubSubEmulator: config.PUBSUB_EMULATOR_HOST });
}

const BIGQUERY_TIMEOUT_MS = 10_000;

function bigQueryOf(config: Config) {
  return createBigQuery(googleCloudAddress(config), BIGQUERY_TIMEOUT_MS);
}

export async function query(config: Config, text: string): Promise<unknown[]> {
  const [rows] = await bigQueryOf(config).query({ query: text });
  return rows;
}

/**
 * Counts over the view `orders` and the tables; zero if the dataset does not exist. The emulator takes seconds for a view of some hundred
 * orders: wait with `warehouseEvents`, and count once.
 */
export async function warehouseCounts(
  config: Config,
  names: GoogleCloudNames,
): Promise<{ events: number; orders: number; rows: number; parked: number }> {
  const table = (name: string) => `\`${config.GOOGLE_CLOUD_PROJECT}.${names.dataset}.${name}\``;
  try {
    const [row] = (await query(
      config,
      `select
        (select coalesce(sum(events), 0) from ${table(ordersView)}) as events,
        (select count(*) from ${table(ordersView)}) as orders,
        (select count(*) from ${table(eventsTable)}) as total_rows,
        (select count(*) from ${table(parkedTable)}) as parked`,
    )) as Record<string, unknown>[];
    return {
      events: Number(row?.events),
      orders: Number(row?.orders),
      rows: Number(row?.total_rows),
      parked: Number(row?.parked),
    };
  } catch (error) {
    if (httpStatus(error) === 404) return { events: 0, orders: 0, rows: 0, parked: 0 };
    throw error;
  }
}

export async function deleteDataset(config: Config, names: GoogleCloudNames): Promise<void> {
  const dataset = bigQueryOf(config).dataset(names.dataset);
  await dataset.delete({ force: true }).catch((error: unknown) => {
    if (httpStatus(error) !== 404) throw error;
  });
}
