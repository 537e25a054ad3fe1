// Gathers what the topics say of each order, record by record. Filled by read-evidence.ts and by the lab's chaos verdict.

import { createHash } from 'node:crypto';
import type { EventType } from '../contracts/events.ts';
import { deadLetterHeaders } from '../contracts/headers.ts';
import { orderFingerprint } from '../contracts/order/fingerprint.ts';

/** What the audit needs of a record in any topic. */
export interface AuditedRecord {
  topic: string;
  partition: number;
  offset: number;
  /** Milliseconds since 1970. */
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer>;
}

export interface Position {
  partition: number;
  offset: number;
}

/** The first record of an event, and how it was repeated. */
export interface EventTrace extends Position {
  type: EventType;
  /** Round of a kitchen event. */
  round: number;
  /** First 48 bits of the value's SHA-256; of a crew's event without its time. */
  fingerprint: number;
  /** When the record was written, in milliseconds since 1970. */
  timestamp: number;
  /** Whether the bridge publishes it. */
  bridgeable: boolean;
  /** Later records with the same event id and the same bytes: at-least-once delivery, no fault. */
  repeats: number;
  /** A later record with the same event id and other bytes, or in another partition. */
  contradiction?: Position;
}

/** What the topics say of one order. */
export interface Trail {
  orderId: string;
  /** First and last record in raw-orders; absent for an order that is not there. */
  placed?: {
    first: Position & { timestamp: number };
    last: Position;
    /** What the first record says (`contentOf`). */
    content: number;
    /** The first record of each further content: mostly there is none. */
    others?: (Position & { content: number })[];
  };
  /** By event id. */
  events: Map<string, EventTrace>;
  /** By dead-letter topic: the origins of its dead letters, in the order of their first appearance. */
  parked: Map<string, (Position & { log: number; content: number })[]>;
}

export interface TrailBook {
  trails: Map<string, Trail>;
  /** Byte-identical records of an event after its first. */
  repeats: number;
  isBridgeable: BridgeRule;
}

/** Whether the bridge publishes an event of that type and value. */
export type BridgeRule = (type: EventType, value: Buffer | null) => boolean;

export function createTrailBook(isBridgeable: BridgeRule = () => false): TrailBook {
  return { trails: new Map(), repeats: 0, isBridgeable };
}

/** A record of raw-orders. One without a key is its own order, as for the runtime. */
export function notePlaced(book: TrailBook, { key, partition, offset, timestamp, value }: AuditedRecord): void {
  const trail = trailOf(book, key?.toString() ?? `${partition}:${offset}`);
  const content = contentOf(value);
  if (trail.placed === undefined) {
    trail.placed = { first: { partition, offset, timestamp }, last: { partition, offset }, content };
    return;
  }
  const { placed } = trail;
  placed.last = { partition, offset };
  if (placed.content === content || placed.others?.some((other) => other.content === content)) return;
  placed.others ??= [];
  placed.others.push({ partition, offset, content });
}

/** Of an order its fingerprint, which does not depend on notation; of anything else, that of its bytes. 48 bits each. */
function contentOf(value: Buffer | null): number {
  if (value === null) return -1;
  try {
    return Buffer.from(orderFingerprint(JSON.parse(value.toString())), 'base64url').readUIntBE(0, 6);
  } catch {
    // No order: the order-validator parks it, and that is what the audit finds of it.
    return createHash('sha256').update(value).digest().readUIntBE(0, 6);
  }
}

/** A record of validated-orders or rejected-orders. Records without the headers of an event are ignored. */
export function noteEvent(book: TrailBook, record: AuditedRecord): void {
  const id = record.headers.ce_id?.toString();
  const type = record.headers.ce_type?.toString() as EventType | undefined;
  if (id === undefined || type === undefined || record.key === null) return;
  const { partition, offset, timestamp } = record;
  const trail = trailOf(book, record.key.toString());
  const fingerprint = fingerprintOf(type, record.value);
  const known = trail.events.get(id);
  if (known === undefined) {
    const bridgeable = book.isBridgeable(type, record.value);
    trail.events.set(id, {
      type,
      round: roundOf(id),
      fingerprint,
      partition,
      offset,
      timestamp,
      bridgeable,
      repeats: 0,
    });
  } else if (known.fingerprint === fingerprint && known.partition === partition) {
    known.repeats++;
    book.repeats++;
  } else known.contradiction ??= { partition, offset };
}

/**
 * Events that one region had alone when another took over, after all others were noted. Where the other region decided the same, they are the
 * first records of these events. Where the other region decided an order differently, that decision counts, and these events had no effect.
 */
export function noteOrphans(book: TrailBook, records: readonly AuditedRecord[]): void {
  const orders = Map.groupBy(records, ({ key }) => key?.toString() ?? '');
  for (const [orderId, ofOrder] of orders) {
    const known = book.trails.get(orderId)?.events;
    const differs = ({ headers, value }: AuditedRecord) => {
      const event = known?.get(headers.ce_id?.toString() ?? '');
      return event !== undefined && event.fingerprint !== fingerprintOf(event.type, value);
    };
    if (ofOrder.some(differs)) continue;
    for (const record of ofOrder) {
      noteEvent(book, record);
      const event = trailOf(book, orderId).events.get(record.headers.ce_id?.toString() ?? '');
      if (event !== undefined && event.partition === record.partition)
        event.offset = Math.min(event.offset, record.offset);
    }
  }
}

/** A record of a dead-letter topic. */
export function noteDeadLetter(book: TrailBook, { topic, key, value, headers }: AuditedRecord): void {
  const partition = Number(headers[deadLetterHeaders.partition]?.toString());
  const offset = Number(headers[deadLetterHeaders.offset]?.toString());
  const log = Number(headers[deadLetterHeaders.log]?.toString() ?? 0);
  const trail = trailOf(book, key?.toString() ?? `${partition}:${offset}`);
  const origins = trail.parked.get(topic) ?? [];
  trail.parked.set(topic, origins);
  const isKnown = origins.some(
    (origin) => origin.partition === partition && origin.offset === offset && origin.log === log,
  );
  if (isKnown) book.repeats++;
  else origins.push({ partition, offset, log, content: contentOf(value) });
}

function trailOf(book: TrailBook, orderId: string): Trail {
  let trail = book.trails.get(orderId);
  if (trail === undefined) {
    trail = { orderId, events: new Map(), parked: new Map() };
    book.trails.set(orderId, trail);
  }
  return trail;
}

const crewEvents: ReadonlySet<string> = new Set(['order.cooking', 'order.cooked', 'order.recalled']);

function fingerprintOf(type: EventType, value: Buffer | null): number {
  if (value === null) return -1;
  // Two screens, or two taps, write the same event with different times; it takes effect once. Repeats of all other events are equal to the byte.
  const said = crewEvents.has(type) ? value.toString().replace(/"occurredAt":"[^"]*"/, '') : value;
  return createHash('sha256').update(said).digest().readUIntBE(0, 6);
}

/** `<orderId>/<type>/<round>`; 1 where the id names none. */
function roundOf(eventId: string): number {
  const round = Number(eventId.split('/')[2]);
  return Number.isInteger(round) ? round : 1;
}
