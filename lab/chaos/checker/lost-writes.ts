import { eventId } from '../../../contracts/events.ts';
import { deadLetterTopic, groups, topics } from '../../../contracts/topics.ts';
import { type Anomaly, type History, keyOf, placeOf, recordsOf, typeOf } from './history.ts';
import { outcomeTimes, steps } from './outcomes.ts';

/** What was acknowledged and is nowhere, and what is in the log and got no outcome although everything has come to rest. */
export function* lostWrites(history: History): Generator<Anomaly> {
  const lost = (orderId: string, detail: string): Anomaly => ({ kind: 'lost write', orderId, detail });
  const placed = new Set(recordsOf(history, topics.rawOrders).map(keyOf));
  for (const { orderId, status } of history.orders) {
    if (status === 202 && !placed.has(orderId))
      yield lost(orderId, `was answered 202 and is not in ${topics.rawOrders}`);
  }
  for (const step of steps) {
    const outcomeOf = outcomeTimes(history, step);
    for (const input of recordsOf(history, step.topic)) {
      if (step.isInput(input) && outcomeOf(input) === undefined)
        yield lost(keyOf(input), `${placeOf(input)} is ${step.missing}`);
    }
  }
  const settled = new Set(recordsOf(history, deadLetterTopic(topics.validatedOrders, groups.kitchen)).map(keyOf));
  const events = new Set<string>();
  for (const record of recordsOf(history, topics.validatedOrders)) {
    events.add(record.headers.ce_id ?? '');
    if (typeOf(record) !== 'order.paid') continue;
    const orderId = keyOf(record);
    // Named once, however often the event was repeated.
    if (history.effects.get(orderId)?.ticket !== true && !settled.has(orderId) && settled.add(orderId))
      yield lost(orderId, `${placeOf(record)} is paid and has no ticket in the kitchen`);
  }
  for (const { type, orderId, round, outcome } of history.commands) {
    const event = eventId(orderId, type === 'bump' ? 'order.cooked' : 'order.recalled', round);
    if (outcome === 'done' && !events.has(event))
      yield lost(orderId, `the ${type} of round ${round} was acknowledged and is not in ${topics.validatedOrders}`);
  }
}
