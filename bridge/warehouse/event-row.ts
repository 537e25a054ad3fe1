// Makes a row of `order_events` from a pulled message. Called by event-loader.ts.

import { eventTypes } from '../../contracts/events.ts';

/** A row of `order_events`, in the form of BigQuery's insert. */
export interface EventRow {
  event_id: string;
  event_type: string;
  order_id: string;
  store_id: string;
  /** RFC 3339. */
  occurred_at: string;
  /** Minor units. */
  total: number;
  currency: string;
  /** Decimal text, because an INT64 may not fit into a JavaScript number. */
  sequence: string;
  /** The event's own JSON text. */
  payload: string;
  /** RFC 3339. */
  ingested_at: string;
}

export interface ReceivedEvent {
  data: Buffer;
  attributes: Readonly<Record<string, string>>;
}

/** `row` for the table, or why the message can't be a row. */
export type RowOrReason = { row: EventRow } | { reason: string };

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const SEQUENCE = /^\d{1,18}$/;

/** Makes a table row of a message. Strict, so that BigQuery has no reason to refuse it: a bad row costs its whole request a second try. */
export function eventRow({ data, attributes }: ReceivedEvent, ingestedAt: string): RowOrReason {
  const { id, type, sequence } = attributes;
  if (id === undefined || id === '') return { reason: 'attribute id is missing' };
  if (!eventTypes.some((known) => known === type))
    return { reason: `attribute type is ${type}, no type of an order event` };
  if (sequence === undefined || !SEQUENCE.test(sequence))
    return { reason: `attribute sequence is ${sequence}, not a sequence number` };
  const payload = data.toString('utf8');
  const event = parseObject(payload);
  if (event === undefined) return { reason: 'the data is not a JSON object' };
  for (const name of ['orderId', 'storeId', 'occurredAt', 'currency'] as const)
    if (typeof event[name] !== 'string' || event[name] === '') return { reason: `${name} is missing` };
  const occurredAt = String(event.occurredAt);
  if (!TIMESTAMP.test(occurredAt) || Number.isNaN(Date.parse(occurredAt)))
    return { reason: `occurredAt is ${occurredAt}, not an RFC 3339 time` };
  if (!Number.isSafeInteger(event.total)) return { reason: 'total is not a whole number of minor units' };
  return {
    row: {
      event_id: id,
      event_type: String(type),
      order_id: String(event.orderId),
      store_id: String(event.storeId),
      occurred_at: occurredAt,
      total: Number(event.total),
      currency: String(event.currency),
      sequence,
      payload,
      ingested_at: ingestedAt,
    },
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Not JSON: the row's reason says so.
    return undefined;
  }
}
