import { setTimeout as delay } from 'node:timers/promises';
import { type Database, readActItems, readActs } from '../../store/index.ts';
import { counted, oneLine, placeOf } from './letter-view.ts';

const POLL_MS = 300;
const STALLED_MS = 15_000;
const FAILURES_SHOWN = 20;

export interface ReplayOutcome {
  replayed: number;
  failed: number;
}

/** Follows acts until no order of theirs is left to replay, and prints their progress. Interrupting it does not stop the replay. */
export async function followActs(
  sql: Database,
  acts: readonly number[],
  onLine: (line: string) => void,
): Promise<ReplayOutcome> {
  let last = '';
  let movedAt = performance.now();
  for (;;) {
    const states = (await Promise.all(acts.map((act) => readActs(sql, { act })))).flat();
    const sum = (field: 'replayed' | 'failed' | 'keysLeft') => states.reduce((total, state) => total + state[field], 0);
    const outcome = { replayed: sum('replayed'), failed: sum('failed') };
    const left = sum('keysLeft');
    if (left === 0) return outcome;
    const line = `${outcome.replayed} replayed, ${outcome.failed} failed again, ${counted(left, 'order')} left`;
    const now = performance.now();
    if (line !== last) {
      if (last !== '') onLine(line);
      last = line;
      movedAt = now;
    } else if (now - movedAt > STALLED_MS) {
      onLine(
        `${line}; nothing has moved for a while: do the workers run, and are they ready (/readyz)? The replay waits for them`,
      );
      movedAt = now;
    }
    await delay(POLL_MS);
  }
}

/** Names the messages that failed again, and what became of those behind them. */
export async function sayFailures(
  sql: Database,
  acts: readonly number[],
  onLine: (line: string) => void,
): Promise<void> {
  const items = (await Promise.all(acts.map((act) => readActItems(sql, act)))).flat();
  const failures = items.filter(({ event }) => event === 'failed');
  for (const failure of failures.slice(0, FAILURES_SHOWN))
    onLine(`order ${failure.key}: ${placeOf(failure)} failed again: ${oneLine(failure.error ?? '', 200)}`);
  if (failures.length > FAILURES_SHOWN) onLine(`and ${failures.length - FAILURES_SHOWN} more`);
  onLine('they are parked again in front, and their followers stay behind them');
}
