import type { Config } from '../../contracts/config/config.ts';
import {
  createBigQuery,
  type GoogleCloudNames,
  googleCloudAddress,
  googleCloudNames,
  requireGoogleCloud,
} from '../pubsub/google-cloud.ts';
import { eventsTable, httpStatus, parkedTable } from './warehouse-schema.ts';

/** What the warehouse has of the events since a time. The audit reads it. */
export interface WarehouseEvents {
  ids: ReadonlySet<string>;
  /** Messages in `order_events_parked`: they are not order events, or could not be loaded. */
  parked: number;
  /** The ids of the parked events. */
  parkedIds?: ReadonlySet<string>;
}

/**
 * The ids of all events that occurred since `sinceMs` (milliseconds since 1970). A warehouse that was never started has none.
 * @throws ConfigError when BigQuery isn't configured; the client's error when it can't be reached
 */
export async function warehouseEvents(
  config: Config,
  sinceMs: number,
  names: GoogleCloudNames = googleCloudNames,
): Promise<WarehouseEvents> {
  await requireGoogleCloud('warehouse', config, ['BIGQUERY_EMULATOR_HOST']);
  const address = googleCloudAddress(config);
  const bigQuery = createBigQuery(address, config.ORDERMESH_WAREHOUSE_INSERT_TIMEOUT);
  const table = (name: string) => `\`${address.project}.${names.dataset}.${name}\``;
  const since = `timestamp_millis(${Math.floor(sinceMs)})`;
  const ids = new Set<string>();
  const parkedIds = new Set<string>();
  const held = { ids, parked: 0, parkedIds };
  try {
    const events = bigQuery.createQueryStream(
      `select distinct event_id from ${table(eventsTable)} where occurred_at >= ${since}`,
    );
    for await (const row of events) ids.add((row as { event_id: string }).event_id);
    const parked = bigQuery.createQueryStream(
      `select attributes from ${table(parkedTable)} where parked_at >= ${since}`,
    );
    for await (const row of parked) {
      held.parked++;
      const id = idOf((row as { attributes: string | null }).attributes);
      if (id !== undefined) parkedIds.add(id);
    }
  } catch (error) {
    if (httpStatus(error) !== 404) throw error;
  }
  return held;
}

/** The attribute `id` of a parked message: its attributes are JSON text. */
function idOf(attributes: string | null): string | undefined {
  try {
    const { id } = JSON.parse(attributes ?? '{}') as { id?: unknown };
    return typeof id === 'string' ? id : undefined;
  } catch {
    // Parking replaces characters that BigQuery may refuse, so the result may not be JSON. Such a message counts as parked, without an id.
    return undefined;
  }
}
