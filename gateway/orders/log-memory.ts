// Notices that the log may have lost accepted orders. Used by order-log-watch.ts.

import type { TopicLook } from '../../kafka/index.ts';

/** A leader that was just elected may report an earlier end of its log for a moment. */
const SHORTER_LOOKS = 2;
/** This many marks of the end of the log are kept, for the window of recent orders. */
const MARKS = 10;

/** `shorter` is a suspicion: the next look decides whether the log was truncated. */
export type LogLoss = 'recreated' | 'truncated' | 'removed' | 'shorter';

/** Compares each look at a topic with the looks before, to tell whether records that are younger than the window may be lost. */
export class LogMemory {
  readonly #windowMs: number;
  #known: TopicLook | undefined;
  /** Where the log ended, the oldest mark first. Once there are marks for a whole window, the first one is older than every order of the window. */
  #marks: { at: number; ends: Map<number, number> }[] = [];
  #shorter = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @param at monotonic milliseconds */
  judge(look: TopicLook, at: number): LogLoss | undefined {
    const known = this.#known;
    if (known === undefined) return this.#begin(look, at, undefined);
    if (look.logId !== known.logId) return this.#begin(look, at, 'recreated');
    if (this.#isShorter(look, known)) {
      this.#shorter++;
      return this.#shorter < SHORTER_LOOKS ? 'shorter' : this.#begin(look, at, 'truncated');
    }
    this.#shorter = 0;
    // A partition without a leader has no range in this look, and may come back with a shorter log.
    this.#known = { ...look, ranges: new Map([...known.ranges, ...look.ranges]) };
    // Retention removes old records all the time. Only records that may hold an order of the window count.
    const before = this.#marks[0]?.ends;
    for (const [partition, { earliest }] of look.ranges)
      if (earliest > (before?.get(partition) ?? earliest)) return this.#begin(look, at, 'removed');
    this.#mark(this.#known, at);
    return undefined;
  }

  #begin(look: TopicLook, at: number, loss: LogLoss | undefined): LogLoss | undefined {
    this.#known = look;
    this.#marks = [{ at, ends: endsOf(look) }];
    this.#shorter = 0;
    return loss;
  }

  #isShorter({ ranges }: TopicLook, known: TopicLook): boolean {
    return [...ranges].some(([partition, { latest }]) => latest < (known.ranges.get(partition)?.latest ?? 0));
  }

  #mark(look: TopicLook, at: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || at - last.at >= this.#windowMs / MARKS) this.#marks.push({ at, ends: endsOf(look) });
    for (let second = this.#marks[1]; second !== undefined && at - second.at >= this.#windowMs; second = this.#marks[1])
      this.#marks.shift();
  }
}

function endsOf({ ranges }: TopicLook): Map<number, number> {
  return new Map([...ranges].map(([partition, { latest }]) => [partition, latest]));
}
