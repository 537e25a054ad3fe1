// The steps of an order's way, and when each input of a step got its outcome. Used by lost-writes.ts and commits.ts.

import { deadLetterHeaders } from '../../../contracts/headers.ts';
import { deadLetterTopic, groups, topics } from '../../../contracts/topics.ts';
import { type History, keyOf, type LoggedRecord, recordsOf, typeOf } from './history.ts';

/** A step of the way: each of its inputs must get one of its outcomes in a topic, or be parked. */
export interface Step {
  group: string;
  topic: string;
  isInput(record: LoggedRecord): boolean;
  /** Event types, each with its topic. */
  outcomes: readonly { topic: string; type: string }[];
  /** For people. */
  missing: string;
}

export const steps: readonly Step[] = [
  {
    group: groups.orderValidator,
    topic: topics.rawOrders,
    isInput: () => true,
    outcomes: [
      { topic: topics.validatedOrders, type: 'order.validated' },
      { topic: topics.rejectedOrders, type: 'order.rejected' },
    ],
    missing: 'neither validated nor rejected nor parked',
  },
  {
    group: groups.payment,
    topic: topics.validatedOrders,
    isInput: (record) => typeOf(record) === 'order.validated',
    outcomes: [
      { topic: topics.validatedOrders, type: 'order.paid' },
      { topic: topics.validatedOrders, type: 'order.payment-failed' },
    ],
    missing: 'neither paid nor failed to be paid nor parked',
  },
];

/**
 * When each input of a step got its outcome, at the earliest.
 * @returns a function from an input to milliseconds since 1970; `undefined` for an input without outcome
 */
export function outcomeTimes(history: History, step: Step): (input: LoggedRecord) => number | undefined {
  const byKey = new Map<string, number>();
  for (const { topic, type } of step.outcomes) {
    for (const record of recordsOf(history, topic)) {
      if (typeOf(record) === type) earliest(byKey, keyOf(record), record.timestamp);
    }
  }
  const parked = new Map<string, number>();
  for (const record of recordsOf(history, deadLetterTopic(step.topic, step.group))) {
    earliest(parked, originOf(record), record.timestamp);
  }
  return (input) => {
    const times = [byKey.get(keyOf(input)), parked.get(`${input.partition}:${input.offset}`)];
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  };
}

/** Where a dead letter came from: `partition:offset`. */
export function originOf({ headers }: LoggedRecord): string {
  return `${headers[deadLetterHeaders.partition]}:${headers[deadLetterHeaders.offset]}`;
}

function earliest(times: Map<string, number>, key: string, time: number): void {
  const known = times.get(key);
  if (known === undefined || time < known) times.set(key, time);
}
