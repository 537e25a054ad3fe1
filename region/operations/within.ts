// Limits the wait for an answer of a cluster or a database. Used by the files beside it.

import { withDeadline } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';

/** How long a cluster or a database may take to answer one question. A stopped process keeps its connections open and never answers. */
export const QUESTION_MS_MAX = 10_000;
/** The same for writing a batch of some hundred rows, which may wait for the lock of a worker that is just ending. */
export const BATCH_MS_MAX = 60_000;

/**
 * Waits for an answer, at most `msMax`. The question itself is not cancelled.
 * @throws what `answer` rejects with; an Error that names `who` when there is no answer in that time
 */
export function within<T>(msMax: number, who: string, answer: Promise<T>): Promise<T> {
  return withDeadline(systemTimers, msMax, answer, () => new Error(`${who} does not answer within ${msMax / 1_000} s`));
}
