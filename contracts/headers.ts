// The headers of records in Kafka: of events and of dead letters. Used by all rooms that write or read records.

import { type EventType, eventId, type menuEventType } from './events.ts';

/** Record headers as we write them. In Kafka they are a list of names and bytes. */
export type RecordHeaders = Record<string, string>;

export interface EventHeaderFields {
  id: string;
  type: EventType | typeof menuEventType;
  /** URI reference of the role that made the event, for example `/ordermesh/gateway`. */
  source: string;
  /** RFC 3339. */
  time: string;
  /** The orderId; the storeId of an event about a menu. */
  subject: string;
  /** W3C Trace Context, carried from the request to every event that follows from it. */
  traceparent?: string | undefined;
  /** RFC 3339: when the gateway accepted the order that the event follows from (CloudEvents extension `acceptedtime`). */
  acceptedTime?: string | undefined;
  /** The client's own `x-request-id`; empty if it sent none. */
  requestId?: string | undefined;
}

/** CloudEvents 1.0 attributes in Kafka's binary content mode (CloudEvents Kafka protocol binding, section 3.2). */
export function eventHeaders(fields: EventHeaderFields): RecordHeaders {
  const { id, subject, acceptedTime } = fields;
  const headers = { ...commonEventHeaders(fields), ce_id: id, ce_subject: subject, ...occurrenceHeaders(fields) };
  return acceptedTime === undefined ? headers : { ...headers, [acceptedTimeHeader]: acceptedTime };
}

/**
 * Passed on from the order's decision to every event that follows without a person. It tells how old an order is at each step. What the
 * crew does starts again.
 */
export const acceptedTimeHeader = 'ce_acceptedtime';

/** The headers that all events of one source and type have in common. */
export function commonEventHeaders({ source, type }: Pick<EventHeaderFields, 'source' | 'type'>): RecordHeaders {
  return { ce_specversion: '1.0', ce_source: source, ce_type: type, 'content-type': 'application/json' };
}

/** The headers that follow from the orderId, if the orderId is the record's key: the text after the key in each value. */
export function keyEventHeaders(type: EventType): RecordHeaders {
  return { ce_id: eventId('', type), ce_subject: '' };
}

/** The headers that say when an event happened, and its trace. */
export function occurrenceHeaders({
  time,
  traceparent,
  requestId,
}: Pick<EventHeaderFields, 'time' | 'traceparent' | 'requestId'>): RecordHeaders {
  const headers: RecordHeaders = { ce_time: time };
  if (traceparent !== undefined) headers.traceparent = traceparent;
  if (requestId !== undefined && requestId !== '') headers['x-request-id'] = requestId;
  return headers;
}

/** Headers of a record in a dead-letter topic. The original headers and bytes are kept. */
export const deadLetterHeaders = {
  reason: 'dlt-reason',
  error: 'dlt-error',
  attempts: 'dlt-attempts',
  topic: 'dlt-topic',
  partition: 'dlt-partition',
  offset: 'dlt-offset',
  firstFailedAt: 'dlt-first-failed-at',
  behind: 'dlt-behind',
  /** The log that the offset belongs to, by its number in `partition_logs`. */
  log: 'dlt-log',
  /** The record's timestamp in its topic, in milliseconds since 1970. */
  timestamp: 'dlt-timestamp',
} as const;
