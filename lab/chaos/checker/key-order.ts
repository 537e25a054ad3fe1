import { eventId } from '../../../contracts/events.ts';
import { deadLetterHeaders } from '../../../contracts/headers.ts';
import { deadLetterTopic, subscriptions, topics } from '../../../contracts/topics.ts';
import type { CrewCommand } from '../../crew.ts';
import { type Anomaly, type History, keyOf, type LoggedRecord, placeOf, recordsOf } from './history.ts';

/** How the log of one order contradicts the sequence of its events: only the first record of an event counts, repeats may come any time. */
export function* disorder(history: History): Generator<Anomaly> {
  const wrong = (orderId: string, detail: string): Anomaly => ({ kind: 'out of order', orderId, detail });
  const partitions = new Map<string, number>();
  for (const topic of [topics.rawOrders, topics.validatedOrders, topics.rejectedOrders]) {
    for (const record of recordsOf(history, topic)) {
      const orderId = keyOf(record);
      const known = partitions.get(orderId) ?? record.partition;
      partitions.set(orderId, known);
      if (known !== record.partition) yield wrong(orderId, `${placeOf(record)} is not in its partition ${known}`);
    }
  }
  const firsts = firstRecords(recordsOf(history, topics.validatedOrders));
  for (const [orderId, events] of firsts) {
    for (const [id, record] of events) {
      const causes = causesOf(id);
      const before = causes.map((cause) => events.get(cause)).filter((cause) => cause !== undefined);
      if (causes.length > 0 && !before.some(({ offset }) => offset < record.offset))
        yield wrong(orderId, `${placeOf(record)} is ${shortOf(id)} and not after ${causes.map(shortOf).join(' or ')}`);
    }
  }
  yield* commandsOutOfOrder(history.commands, firsts, wrong);
  yield* deadLettersOutOfOrder(history, wrong);
}

/** First record of each event by order and event id. */
function firstRecords(records: readonly LoggedRecord[]): Map<string, Map<string, LoggedRecord>> {
  const firsts = new Map<string, Map<string, LoggedRecord>>();
  for (const record of records) {
    const events = firsts.get(keyOf(record)) ?? new Map<string, LoggedRecord>();
    firsts.set(keyOf(record), events);
    const id = record.headers.ce_id ?? '';
    const known = events.get(id);
    if (known === undefined || record.offset < known.offset) events.set(id, record);
  }
  return firsts;
}

/** Event ids of which at least one must come before this one. */
function causesOf(id: string): string[] {
  const [orderId = '', type, round = '1'] = id.split('/');
  const n = Number(round);
  switch (type) {
    case 'order.paid':
    case 'order.payment-failed':
      return [eventId(orderId, 'order.validated')];
    case 'order.cooking':
    case 'order.cooked':
      return n === 1 ? [eventId(orderId, 'order.paid')] : [eventId(orderId, 'order.recalled', n - 1)];
    case 'order.recalled':
      return [eventId(orderId, 'order.cooked', n)];
    default:
      return [];
  }
}

/** The log must show an order's commands as they were sent: one that was answered before the next was sent stands before it. */
function* commandsOutOfOrder(
  commands: readonly CrewCommand[],
  firsts: ReadonlyMap<string, ReadonlyMap<string, LoggedRecord>>,
  wrong: (orderId: string, detail: string) => Anomaly,
): Generator<Anomaly> {
  const done = commands.filter(({ outcome }) => outcome === 'done');
  for (const [orderId, ofOrder] of Map.groupBy(done, (command) => command.orderId)) {
    const offsetOf = ({ type, round }: CrewCommand) =>
      firsts.get(orderId)?.get(eventId(orderId, type === 'bump' ? 'order.cooked' : 'order.recalled', round))?.offset;
    for (const earlier of ofOrder) {
      for (const later of ofOrder) {
        const [from, to] = [offsetOf(earlier), offsetOf(later)];
        if (from === undefined || to === undefined) continue;
        if (earlier.answeredAt < later.sentAt && from > to)
          yield wrong(
            orderId,
            `${earlier.type} ${earlier.round} was answered before ${later.type} ${later.round} was sent, and stands behind it`,
          );
      }
    }
  }
}

function* deadLettersOutOfOrder(
  history: History,
  wrong: (orderId: string, detail: string) => Anomaly,
): Generator<Anomaly> {
  for (const { topic, group } of subscriptions) {
    const letters = recordsOf(history, deadLetterTopic(topic, group));
    for (const [orderId, ofOrder] of Map.groupBy(letters, keyOf)) {
      const seen = new Set<number>();
      let last = -1;
      for (const letter of ofOrder) {
        const origin = Number(letter.headers[deadLetterHeaders.offset]);
        if (!seen.has(origin) && origin < last)
          yield wrong(orderId, `${placeOf(letter)} parks offset ${origin} after offset ${last}`);
        seen.add(origin);
        last = Math.max(last, origin);
      }
    }
  }
}

function shortOf(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}
