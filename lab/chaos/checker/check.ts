import { commitsPastUnfinished } from './commits.ts';
import { duplicateEffects } from './duplicates.ts';
import type { Anomaly, History } from './history.ts';
import { disorder } from './key-order.ts';
import { lostWrites } from './lost-writes.ts';

/** Judges a finished history, in the manner of Jepsen's Kafka workload. Pure: the same history gives the same anomalies. */
export function check(history: History): Anomaly[] {
  return [
    ...lostWrites(history),
    ...duplicateEffects(history),
    ...disorder(history),
    ...commitsPastUnfinished(history),
  ];
}
