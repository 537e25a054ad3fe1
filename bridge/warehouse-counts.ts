import type { Config } from '../contracts/config.ts';
import {
  createBigQuery,
  type GoogleCloudNames,
  googleCloudAddress,
  googleCloudNames,
  requireGoogleCloud,
} from './google-cloud.ts';
import { eventsTable, httpStatus, ordersView, parkedTable } from './warehouse-schema.ts';

/** What the warehouse holds. */
export interface WarehouseCounts {
  /** Distinct event ids. */
  events: number;
  /** Rows of the view `orders`. */
  orders: number;
  /** Rows of the event table, copies included: what an inexact reader would count. */
  rows: number;
  /** Messages that are no order events. */
  parked: number;
}

/**
 * Counts for the audit. A warehouse that was never started holds nothing.
 * @throws ConfigError when BigQuery isn't configured; the client's error when it can't be reached.
 */
export async function warehouseCounts(
  config: Config,
  names: GoogleCloudNames = googleCloudNames,
): Promise<WarehouseCounts> {
  await requireGoogleCloud('warehouse', config, ['BIGQUERY_EMULATOR_HOST']);
  const address = googleCloudAddress(config);
  const bigQuery = createBigQuery(address, config.ORDERMESH_WAREHOUSE_INSERT_TIMEOUT);
  const table = (name: string) => `\`${address.project}.${names.dataset}.${name}\``;
  try {
    const [rows] = await bigQuery.query({
      query: `select
        (select coalesce(sum(events), 0) from ${table(ordersView)}) as events,
        (select count(*) from ${table(ordersView)}) as orders,
        (select count(*) from ${table(eventsTable)}) as total_rows,
        (select count(*) from ${table(parkedTable)}) as parked`,
    });
    const row: Record<string, unknown> = rows[0] ?? {};
    return {
      events: Number(row.events),
      orders: Number(row.orders),
      rows: Number(row.total_rows),
      parked: Number(row.parked),
    };
  } catch (error) {
    if (httpStatus(error) === 404) return { events: 0, orders: 0, rows: 0, parked: 0 };
    throw error;
  }
}
