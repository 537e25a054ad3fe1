// Finds commits that passed a message before its outcome was in the log. Called by check.ts.

import {
  type Anomaly,
  type History,
  keyOf,
  type LoggedCommit,
  type LoggedRecord,
  placeOf,
  recordsOf,
} from './history.ts';
import { outcomeTimes, type Step, steps } from './outcomes.ts';

/** Broker and producer read the same clock, one of them a moment later. */
const CLOCK_SLACK_MS = 5;

/**
 * Every commit that passed a message before its outcome was in the log. A crash at that moment would have lost the message, even if
 * nothing was lost this time: a later redelivery hides it from a look at the end.
 */
export function* commitsPastUnfinished(history: History): Generator<Anomaly> {
  for (const step of steps) {
    const commits = Map.groupBy(
      history.commits.filter(({ group, topic }) => group === step.group && topic === step.topic),
      ({ partition }) => partition,
    );
    const inputs = Map.groupBy(recordsOf(history, step.topic), ({ partition }) => partition);
    const outcomeOf = outcomeTimes(history, step);
    for (const [partition, ofPartition] of inputs) {
      yield* passed(step, ofPartition, commits.get(partition) ?? [], outcomeOf);
    }
  }
}

function* passed(
  step: Step,
  records: readonly LoggedRecord[],
  commits: readonly LoggedCommit[],
  outcomeOf: (input: LoggedRecord) => number | undefined,
): Generator<Anomaly> {
  const inOrder = records.toSorted((a, b) => a.offset - b.offset);
  let next = 0;
  for (const { offset, at } of commits.toSorted((a, b) => a.at - b.at)) {
    for (; next < inOrder.length; next++) {
      const record = inOrder[next] as LoggedRecord;
      if (record.offset >= offset) break;
      if (!step.isInput(record)) continue;
      const outcomeAt = outcomeOf(record);
      if (outcomeAt !== undefined && outcomeAt <= at + CLOCK_SLACK_MS) continue;
      const late = outcomeAt === undefined ? 'it has no outcome' : `its outcome came ${outcomeAt - at} ms later`;
      yield {
        kind: 'commit past unfinished',
        orderId: keyOf(record),
        detail: `${step.group} committed ${offset} at ${new Date(at).toISOString()}, past ${placeOf(record)}: ${late}`,
      };
    }
  }
}

/** How often a group's position went back: redelivery, harmless, but worth knowing. */
export function rewinds(commits: readonly LoggedCommit[]): number {
  let count = 0;
  const last = new Map<string, number>();
  for (const { group, topic, partition, offset } of commits.toSorted((a, b) => a.at - b.at)) {
    const key = `${group} ${topic} ${partition}`;
    if (offset < (last.get(key) ?? 0)) count++;
    last.set(key, offset);
  }
  return count;
}
