import type { Dataset } from '@google-cloud/bigquery';
import { acceptedAtOf } from '../telemetry/order-age.ts';
import { type EventRow, eventRow } from './event-row.ts';
import { type InsertRow, insertRows } from './row-insert.ts';
import type { WarehouseMetrics } from './warehouse-metrics.ts';
import { eventsTable, parkedTable } from './warehouse-schema.ts';

/** What the warehouse needs of a Pub/Sub message. */
export interface HeldMessage {
  id: string;
  data: Buffer;
  attributes: Record<string, string>;
  ack(): void;
}

export interface HeldRow {
  message: HeldMessage;
  /** Absent: the message is no order event, for the reason given. */
  row?: EventRow;
  reason?: string;
  bytes: number;
}

/** What JSON adds to a row around its payload, at most. */
const ROW_OVERHEAD_BYTES = 1_000;

export function heldRow(message: HeldMessage, now: number): HeldRow {
  const result = eventRow(message, new Date(now).toISOString());
  // The payload is JSON inside a JSON string, whose quotes are escaped: at worst it doubles.
  return { message, ...result, bytes: 2 * message.data.length + ROW_OVERHEAD_BYTES };
}

/**
 * Writes a batch: events into their table, what BigQuery or we can't take into the parking table, and only then acknowledges. A
 * parked message is acknowledged, since no redelivery would make it better.
 * @throws InsertUnavailableError when nothing is to be acknowledged and all of the batch to be repeated.
 */
export async function loadBatch(
  dataset: Dataset,
  batch: readonly HeldRow[],
  metrics: WarehouseMetrics,
  now: () => number,
): Promise<void> {
  const events: { held: HeldRow; insert: InsertRow }[] = [];
  const parked: HeldRow[] = [];
  for (const held of batch) {
    if (held.row === undefined) parked.push(held);
    else events.push({ held, insert: { insertId: held.row.event_id, json: held.row } });
  }
  if (events.length > 0) {
    const started = now();
    const refused = await insertRows(
      dataset.table(eventsTable),
      events.map(({ insert }) => insert),
    );
    metrics.insertSeconds.observe((now() - started) / 1000);
    metrics.rows.inc(events.length - refused.length);
    const refusedRows = new Set<number>();
    for (const { index, reason } of refused) {
      const event = events[index];
      refusedRows.add(index);
      if (event !== undefined) parked.push({ ...event.held, reason });
    }
    for (const [index, { held }] of events.entries()) {
      const acceptedAtMs = acceptedAtOf(held.message.attributes.acceptedtime);
      if (acceptedAtMs !== undefined && !refusedRows.has(index)) metrics.orderAge('warehouse', acceptedAtMs);
    }
  }
  if (parked.length > 0) {
    await insertRows(
      dataset.table(parkedTable),
      parked.map((held) => parkedRow(held, now())),
    );
    metrics.parked.inc(parked.length);
  }
  for (const { message } of batch) message.ack();
}

function parkedRow({ message, reason }: HeldRow, now: number): InsertRow {
  return {
    insertId: message.id,
    json: {
      message_id: message.id,
      reason: reason ?? 'no reason given',
      data_base64: message.data.toString('base64'),
      attributes: JSON.stringify(message.attributes),
      parked_at: new Date(now).toISOString(),
    },
  };
}
