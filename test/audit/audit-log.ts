import type { Effects, Evidence } from '../../audit/evidence.ts';
import type { Fault } from '../../audit/fault.ts';
import { type AuditedRecord, createTrailBook, noteDeadLetter, noteEvent, notePlaced } from '../../audit/trail.ts';
import { type EventType, eventId } from '../../contracts/events.ts';
import { deadLetterTopic, groups, topics } from '../../contracts/topics.ts';
import type { DeadLetterFate } from '../../store/dead-letters/dead-letter-fates.ts';

interface Place {
  partition?: number;
  offset?: number;
  timestamp?: number;
}

/** A synthetic log and database that a test writes as it likes, whole orders or single records. */
export function createAuditLog() {
  const book = createTrailBook((type) => type === 'order.paid');
  const ends = new Map<string, number>();
  const stored = new Map<
    string,
    { decision: 'validated' | 'rejected'; payment: null; charges: number; ticket: boolean }
  >();
  const store = (orderId: string) => {
    const effects = stored.get(orderId) ?? {
      decision: 'validated' as const,
      payment: null,
      charges: 0,
      ticket: false,
    };
    stored.set(orderId, effects);
    return effects;
  };
  const faults: Fault[] = [];
  const deadLetters: DeadLetterFate[] = [];

  function record(
    topic: string,
    key: string | null,
    headers: Record<string, string>,
    value: string,
    place: Place = {},
  ) {
    const partition = place.partition ?? 0;
    const offset = place.offset ?? ends.get(`${topic}/${partition}`) ?? 0;
    ends.set(`${topic}/${partition}`, Math.max(ends.get(`${topic}/${partition}`) ?? 0, offset + 1));
    const written: AuditedRecord = {
      topic,
      partition,
      offset,
      timestamp: place.timestamp ?? 1_000 + offset,
      key: key === null ? null : Buffer.from(key),
      value: Buffer.from(value),
      headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
    };
    return written;
  }

  const log = {
    book,
    faults,
    charge(orderId: string, times = 1) {
      store(orderId).charges = times;
    },
    ticket(orderId: string) {
      store(orderId).ticket = true;
    },
    decided(orderId: string, decision: 'validated' | 'rejected') {
      store(orderId).decision = decision;
    },
    placed(orderId: string | null, place?: Place & { value?: string }) {
      notePlaced(book, record(topics.rawOrders, orderId, {}, place?.value ?? '{}', place));
    },
    event(orderId: string, type: EventType, options: Place & { round?: number; value?: string } = {}) {
      const isRefusal = type === 'order.rejected' || type === 'order.conflicting';
      const topic = isRefusal ? topics.rejectedOrders : topics.validatedOrders;
      const headers = { ce_id: eventId(orderId, type, options.round), ce_type: type };
      noteEvent(book, record(topic, orderId, headers, options.value ?? `${orderId} ${type}`, options));
    },
    parked(
      orderId: string | null,
      origin: { group?: string; topic?: string; partition?: number; offset: number; log?: number; value?: string },
    ) {
      const {
        group = groups.orderValidator,
        topic = topics.rawOrders,
        partition = 0,
        offset,
        log: of = 0,
        value = '{}',
      } = origin;
      const headers = { 'dlt-partition': String(partition), 'dlt-offset': String(offset), 'dlt-log': String(of) };
      noteDeadLetter(book, record(deadLetterTopic(topic, group), orderId, headers, value));
    },
    /** What became of an order's dead letters. */
    fate(key: string, change: Partial<DeadLetterFate>) {
      const none = { parked: 0, replayed: 0, discarded: 0, replayAsked: false };
      deadLetters.push({ group: groups.orderValidator, key, ...none, ...change });
    },
    /** A whole order: placed, validated, paid, with its ticket, cooked. */
    served(orderId: string) {
      log.placed(orderId);
      log.event(orderId, 'order.validated');
      log.event(orderId, 'order.paid');
      log.charge(orderId);
      log.ticket(orderId);
      log.event(orderId, 'order.cooking', { round: 1 });
      log.event(orderId, 'order.cooked', { round: 1 });
    },
    /** The evidence with every frontier at the end of its topic, unless the test says otherwise. */
    evidence(changes: Partial<Evidence> = {}): Evidence {
      const end = (topic: string) =>
        new Map(Array.from({ length: 4 }, (_, partition) => [partition, ends.get(`${topic}/${partition}`) ?? 0]));
      const effects: Effects = { of: (orderId) => stored.get(orderId), faults };
      return {
        book,
        effects,
        deadLetters,
        warehouse: undefined,
        frontiers: {
          orderValidator: end(topics.rawOrders),
          payment: end(topics.validatedOrders),
          kitchen: end(topics.validatedOrders),
          bridge: end(topics.validatedOrders),
        },
        ...changes,
      };
    },
  };
  return log;
}
