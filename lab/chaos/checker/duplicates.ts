// Finds events, outcomes and charges of an order that came twice, and refused orders that took effect. Called by check.ts.

import { deadLetterTopic, groups, topics } from '../../../contracts/topics.ts';
import { type Anomaly, type History, keyOf, type LoggedRecord, placeOf, recordsOf, typeOf } from './history.ts';

/** The crew's events may be told twice, by two screens or a repeated tap, at different times. */
const crewEvents: ReadonlySet<string | undefined> = new Set(['order.cooking', 'order.cooked', 'order.recalled']);

/** The same event with two contents, an order with two outcomes or two charges, and a refused order that took effect. */
export function* duplicateEffects(history: History): Generator<Anomaly> {
  const duplicate = (orderId: string, detail: string): Anomaly => ({ kind: 'duplicate effect', orderId, detail });
  const events = new Map<string, LoggedRecord>();
  const types = new Map<string, Set<string>>();
  const logged = [...recordsOf(history, topics.validatedOrders), ...recordsOf(history, topics.rejectedOrders)];
  for (const record of logged) {
    const orderId = keyOf(record);
    const id = record.headers.ce_id;
    if (id === undefined) {
      yield duplicate(orderId, `${placeOf(record)} has no event id`);
      continue;
    }
    const known = events.get(id);
    if (known === undefined) events.set(id, record);
    else if (contentOf(known) !== contentOf(record) || known.topic !== record.topic || known.key !== record.key)
      yield duplicate(orderId, `${id} at ${placeOf(known)} and at ${placeOf(record)} are not the same event`);
    const ofOrder = types.get(orderId) ?? new Set();
    types.set(orderId, ofOrder.add(typeOf(record) ?? ''));
  }
  for (const record of recordsOf(history, deadLetterTopic(topics.rawOrders, groups.orderValidator))) {
    const ofOrder = types.get(keyOf(record)) ?? new Set();
    types.set(keyOf(record), ofOrder.add('parked'));
  }
  for (const [orderId, has] of types) {
    for (const exclusive of [
      ['order.validated', 'order.rejected', 'parked'],
      ['order.paid', 'order.payment-failed'],
    ]) {
      const found = exclusive.filter((type) => has.has(type));
      if (found.length > 1) yield duplicate(orderId, `has more than one outcome: ${found.join(', ')}`);
    }
  }
  for (const orderId of new Set([...history.effects.keys(), ...types.keys()])) {
    const { charges = 0, payment, decision } = history.effects.get(orderId) ?? {};
    const has = types.get(orderId);
    if (charges > 1) yield duplicate(orderId, `was charged ${charges} times`);
    for (const [stored, type] of [
      [decision === 'validated', 'order.validated'],
      [decision === 'rejected', 'order.rejected'],
      [payment === 'paid', 'order.paid'],
      [payment === 'failed', 'order.payment-failed'],
    ] as const) {
      if (stored !== (has?.has(type) ?? false))
        yield duplicate(orderId, stored ? `is ${type} in the database only` : `is ${type} in the log only`);
    }
  }
  yield* refusedAndWritten(history, duplicate);
}

/** An order whose every sending was refused at the first attempt can be nowhere. */
function* refusedAndWritten(history: History, duplicate: (orderId: string, detail: string) => Anomaly) {
  const refused = new Set<string>();
  const others = new Set<string>();
  for (const { orderId, status, attempts } of history.orders) {
    const certain = status >= 400 && status < 500 && attempts === 1;
    (certain ? refused : others).add(orderId);
  }
  const seen = new Set<string>();
  for (const record of recordsOf(history, topics.rawOrders)) {
    const orderId = keyOf(record);
    if (!refused.has(orderId) || others.has(orderId) || seen.has(orderId)) continue;
    seen.add(orderId);
    yield duplicate(orderId, `was refused and is at ${placeOf(record)}`);
  }
}

function contentOf(record: LoggedRecord): string | null {
  if (record.value === null || !crewEvents.has(typeOf(record))) return record.value;
  return record.value.replace(/"occurredAt":"[^"]*"/, '');
}
