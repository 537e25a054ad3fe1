// Inserts pulled messages into the tables of events and of parked messages. Called by held-messages.ts.

import type { Dataset } from '@google-cloud/bigquery';
import { type EventRow, eventRow } from './event-row.ts';
import { type InsertRow, InsertUnavailableError, insertRows, type RefusedRow } from './row-insert.ts';
import type { WarehouseMetrics } from './warehouse-metrics.ts';
import { eventsTable, parkedTable } from './warehouse-schema.ts';

/** The parts of a Pub/Sub message that the warehouse needs. */
export interface HeldMessage {
  id: string;
  data: Buffer;
  attributes: Record<string, string>;
  ack(): void;
}

export interface HeldRow {
  message: HeldMessage;
  /** Absent if the message is no order event; `reason` says why. */
  row?: EventRow;
  reason?: string;
  bytes: number;
}

/** Most bytes that JSON adds to a row around its payload. */
const ROW_OVERHEAD_BYTES = 1_000;

export function heldRow(message: HeldMessage, now: number): HeldRow {
  const result = eventRow(message, new Date(now).toISOString());
  // The payload is JSON inside a JSON string, so its quotes are escaped. At worst its length doubles.
  return { message, ...result, bytes: 2 * message.data.length + ROW_OVERHEAD_BYTES };
}

/**
 * Inserts rows into the table of events.
 * @returns the rows that BigQuery refuses for their own fault
 * @throws InsertUnavailableError when nothing is known about any row
 */
export async function insertEvents(
  dataset: Dataset,
  rows: readonly HeldRow[],
  metrics: WarehouseMetrics,
  now: () => number,
): Promise<RefusedRow[]> {
  const started = now();
  const refused = await insertRows(
    dataset.table(eventsTable),
    rows.map(({ row, message }) => ({ insertId: row?.event_id ?? message.id, json: row ?? {} })),
  );
  metrics.insertSeconds.observe((now() - started) / 1000);
  metrics.rows.inc(rows.length - refused.length);
  return refused;
}

/**
 * Puts messages that can't be events into the parking table. They are acknowledged afterwards, because a redelivery would change nothing.
 * @throws InsertUnavailableError when they must be parked again
 */
export async function parkRows(
  dataset: Dataset,
  rows: readonly HeldRow[],
  metrics: WarehouseMetrics,
  now: () => number,
): Promise<void> {
  const [refused] = await insertRows(
    dataset.table(parkedTable),
    rows.map((held) => parkedRow(held, now())),
  );
  // If it were acknowledged all the same, it would be lost.
  if (refused !== undefined) throw new InsertUnavailableError(`${parkedTable} refuses a row: ${refused.reason}`);
  metrics.parked.inc(rows.length);
}

function parkedRow({ message, reason }: HeldRow, now: number): InsertRow {
  return {
    insertId: message.id,
    json: {
      message_id: message.id,
      // The reason may have text of a client, which must not make this row fail as well.
      reason: cleanText(reason ?? 'no reason given'),
      data_base64: message.data.toString('base64'),
      attributes: cleanText(JSON.stringify(message.attributes)),
      parked_at: new Date(now).toISOString(),
    },
  };
}

/** Removes what JSON, SQL or UTF-8 may refuse: NUL, escapes of NUL, and lone surrogates. */
function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\0', '\ufffd')
    .replaceAll(/\\u(0000|d[89a-f][0-9a-f]{2})/gi, '\ufffd');
}
