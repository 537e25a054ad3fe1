import { type EventType, eventId } from './events.ts';

/** Record headers as we write them; Kafka's own form is a list of name and bytes. */
export type RecordHeaders = Record<string, string>;

export interface EventHeaderFields {
  id: string;
  type: EventType;
  /** URI reference of the role that made the event, for example `/ordermesh/gateway`. */
  source: string;
  /** RFC 3339. */
  time: string;
  /** The orderId. */
  subject: string;
  /** W3C Trace Context, carried from the request to every event that follows from it. */
  traceparent?: string | undefined;
  /** RFC 3339: when the gateway accepted the order that the event follows from (CloudEvents extension `acceptedtime`). */
  acceptedTime?: string | undefined;
  /** The client's own `x-request-id`; empty where it sent none. */
  requestId?: string | undefined;
}

/** CloudEvents 1.0 attributes in Kafka's binary content mode (CloudEvents Kafka protocol binding, section 3.2). */
export function eventHeaders(fields: EventHeaderFields): RecordHeaders {
  const { id, subject, acceptedTime } = fields;
  const headers = { ...commonEventHeaders(fields), ce_id: id, ce_subject: subject, ...occurrenceHeaders(fields) };
  return acceptedTime === undefined ? headers : { ...headers, [acceptedTimeHeader]: acceptedTime };
}

/**
 * Carried from the order's decision on to every event that follows without a person: how old an order is at each step is told from it. What the crew
 * does starts again.
 */
export const acceptedTimeHeader = 'ce_acceptedtime';

/** The part of an event's headers that events of one source and type have in common. */
export function commonEventHeaders({ source, type }: Pick<EventHeaderFields, 'source' | 'type'>): RecordHeaders {
  return { ce_specversion: '1.0', ce_source: source, ce_type: type, 'content-type': 'application/json' };
}

/** The part that follows from the orderId, where that is the record's key: what stands behind the key in each value. */
export function keyEventHeaders(type: EventType): RecordHeaders {
  return { ce_id: eventId('', type), ce_subject: '' };
}

/** The part that says when an event happened, and in the course of what. */
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

/** Headers of a record in a dead-letter topic; the original headers and bytes stay as they were. */
export const deadLetterHeaders = {
  reason: 'dlt-reason',
  error: 'dlt-error',
  attempts: 'dlt-attempts',
  topic: 'dlt-topic',
  partition: 'dlt-partition',
  offset: 'dlt-offset',
  firstFailedAt: 'dlt-first-failed-at',
  behind: 'dlt-behind',
  /** Which of the logs of its partition the offset speaks of, as `partition_logs` counts them. */
  log: 'dlt-log',
  /** Of the record as it was in its topic, in milliseconds since 1970. */
  timestamp: 'dlt-timestamp',
} as const;
