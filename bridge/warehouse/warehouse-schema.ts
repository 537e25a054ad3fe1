// The tables and the view in BigQuery, and how they are created.

import type { BigQuery, Dataset, TableMetadata } from '@google-cloud/bigquery';
import { orderStates, RANKS_A_ROUND } from '../../contracts/order/order-states.ts';
import type { OnMade } from '../upkeep.ts';

export const eventsTable = 'order_events';
export const parkedTable = 'order_events_parked';
export const ordersView = 'orders';

/** Flat except for the payload, so that every reader and loader can use it. New columns are added at the end and are nullable. */
const eventsMetadata: TableMetadata = {
  description: 'High-value order events as they arrived. An event can stand here twice: count in the view orders.',
  schema: {
    fields: [
      { name: 'event_id', type: 'STRING', mode: 'REQUIRED' },
      { name: 'event_type', type: 'STRING', mode: 'REQUIRED' },
      { name: 'order_id', type: 'STRING', mode: 'REQUIRED' },
      { name: 'store_id', type: 'STRING', mode: 'REQUIRED' },
      { name: 'occurred_at', type: 'TIMESTAMP', mode: 'REQUIRED' },
      { name: 'total', type: 'INTEGER', mode: 'REQUIRED', description: 'Minor units of currency.' },
      { name: 'currency', type: 'STRING', mode: 'REQUIRED', description: 'ISO 4217.' },
      { name: 'sequence', type: 'INTEGER', mode: 'REQUIRED', description: 'Rises with the events of an order.' },
      { name: 'payload', type: 'JSON', mode: 'REQUIRED' },
      { name: 'ingested_at', type: 'TIMESTAMP', mode: 'REQUIRED' },
    ],
  },
  timePartitioning: { type: 'DAY', field: 'occurred_at' },
  clustering: { fields: ['store_id', 'order_id'] },
};

/** Text only, so that BigQuery has no reason to refuse a parked row. */
const parkedMetadata: TableMetadata = {
  description: 'Messages that are no order events, as they came, with the reason.',
  schema: {
    fields: [
      { name: 'message_id', type: 'STRING', mode: 'REQUIRED' },
      { name: 'reason', type: 'STRING', mode: 'REQUIRED' },
      { name: 'data_base64', type: 'STRING' },
      { name: 'attributes', type: 'STRING', description: 'JSON text.' },
      { name: 'parked_at', type: 'TIMESTAMP', mode: 'REQUIRED' },
    ],
  },
  timePartitioning: { type: 'DAY', field: 'parked_at' },
};

/**
 * One row per order, exact over distinct event ids: redelivery and BigQuery's best-effort `insertId` may leave an event in the table more
 * than once. Copies count as the first of them. The status is that of the event that is furthest along, in the words of the order API
 * (`contracts/order/order-states.ts`: a recalled order is paid again).
 */
export function ordersQuery(project: string, dataset: string): string {
  // A kitchen event's id ends with its round.
  const round = `ifnull(safe_cast(regexp_extract(event_id, r'/([0-9]+)$') as int64), 1)`;
  const rank = `(${perType((state) => String(state.rank))} + ${RANKS_A_ROUND} * ${round})`;
  return `select
  order_id,
  any_value(store_id) as store_id,
  max(if(recency = 1, ${perType(({ status }) => `'${status}'`)}, null)) as status,
  max(if(recency = 1, total, null)) as total,
  max(if(recency = 1, currency, null)) as currency,
  count(*) as events,
  sum(copies) as deliveries,
  min(occurred_at) as first_event_at,
  max(occurred_at) as last_event_at
from (
  select *, row_number() over (partition by order_id order by ${rank} desc, sequence desc, event_id) as recency
  from (
    select
      *,
      row_number() over (partition by event_id order by sequence, ingested_at) as copy_number,
      count(*) over (partition by event_id) as copies
    from \`${project}.${dataset}.${eventsTable}\`
  ) as numbered
  where copy_number = 1
) as distinct_events
group by order_id`;
}

/** What the table of states says about the event of a row, as SQL. */
function perType(text: (state: (typeof orderStates)['order.paid']) => string): string {
  const cases = Object.entries(orderStates).map(([type, state]) => `when '${type}' then ${text(state)}`);
  return `case event_type ${cases.join(' ')} end`;
}

/**
 * Creates the dataset, the tables and the view if they are missing. Idempotent. `onMade` is called for each created table, but not for a
 * view, which holds no rows.
 */
export async function ensureWarehouse(
  bigQuery: BigQuery,
  project: string,
  dataset: string,
  onMade: OnMade = () => {},
): Promise<void> {
  await ensure(
    () => bigQuery.dataset(dataset).getMetadata(),
    () => bigQuery.createDataset(dataset),
  );
  const home = bigQuery.dataset(dataset);
  if (await ensureTable(home, eventsTable, eventsMetadata)) onMade(`table ${eventsTable}`);
  if (await ensureTable(home, parkedTable, parkedMetadata)) onMade(`table ${parkedTable}`);
  await ensureView(home, ordersView, ordersQuery(project, dataset));
}

function ensureTable(dataset: Dataset, name: string, metadata: TableMetadata): Promise<boolean> {
  return ensure(
    () => dataset.table(name).getMetadata(),
    () => dataset.createTable(name, metadata),
  );
}

/** Replaces a view of an earlier version, which would go on counting by that version's rules. */
async function ensureView(dataset: Dataset, name: string, query: string): Promise<void> {
  const metadata: TableMetadata = { view: { query, useLegacySql: false } };
  await ensureTable(dataset, name, metadata);
  const view = dataset.table(name);
  const [known] = (await view.getMetadata()) as unknown as [TableMetadata];
  const { query: knownQuery } = (typeof known.view === 'object' ? known.view : {}) as { query?: string };
  // An emulator may not return the query of a view. Then the view stays as it is.
  if (knownQuery !== undefined && knownQuery !== query) await view.setMetadata(metadata);
}

/** @returns whether it was missing and this call created it */
async function ensure(get: () => Promise<unknown>, create: () => Promise<unknown>): Promise<boolean> {
  try {
    await get();
    return false;
  } catch (error) {
    if (httpStatus(error) !== 404) throw error;
  }
  try {
    await create();
    return true;
  } catch (refusal) {
    // Another process was faster; that process logs it.
    if (httpStatus(refusal) === 409) return false;
    throw refusal;
  }
}

/** The HTTP status of a BigQuery error; `undefined` if there was no answer. */
export function httpStatus(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}
