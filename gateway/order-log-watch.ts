import type { TopicLog, TopicLook } from '../kafka/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';

const LOOK_MS = 5_000;
/** A leader that was just elected may know less of the end of its log for a moment. */
const SHORTER_LOOKS = 2;
/** Marks of where the log ended, within the window of recent orders. */
const MARKS = 10;
/** The gateway waits so long for the first look before it takes orders. */
const FIRST_LOOK_MS_MAX = 1_000;
/** One look may fail while a broker is replaced. */
const FAILURES_TOLD = 3;

/** `shorter` is not sure yet: the next look decides. */
export type LogLoss = 'recreated' | 'truncated' | 'removed' | 'shorter';

/** Compares each look at a topic with the ones before: whether records that are younger than the window may be gone. */
export class LogMemory {
  readonly #windowMs: number;
  #known: TopicLook | undefined;
  /** Where the log ended, the oldest first: the first mark is older than every order of the window. */
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
      this.#shorter += 1;
      return this.#shorter < SHORTER_LOOKS ? 'shorter' : this.#begin(look, at, 'truncated');
    }
    this.#shorter = 0;
    // A partition without a leader has no range in this look, and may come back with a shorter log.
    this.#known = { ...look, ranges: new Map([...known.ranges, ...look.ranges]) };
    // Retention removes old records all the time; only those that an order of the window may be in count.
    const before = this.#marks[0]?.ends;
    for (const [partition, { earliest }] of look.ranges)
      if (earliest > (before?.get(partition) ?? earliest)) return this.#begin(look, at, 'removed');
    this.#mark(look, at);
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

const told: Readonly<Record<Exclude<LogLoss, 'shorter'>, string>> = {
  recreated: 'the topic was deleted and created again',
  truncated: 'the topic has lost records at its end',
  removed: 'records that are younger than ORDERMESH_RECENT_AGE were removed from the topic',
};

export interface OrderLogWatchOptions {
  topic: string;
  log: Pick<TopicLog, 'look' | 'close'>;
  /** As configured; the first look tells how many there are. */
  partitions: number;
  /** How long the gateway remembers accepted orders at most. */
  windowMs: number;
  logger: Logger;
  /** Accepted orders may not be in the log any more. */
  forget(): void;
}

/**
 * Looks every five seconds whether the topic still holds what was accepted lately. Otherwise a repeat of an order that was lost with its log would be
 * answered 202 from memory, and would be in no log. Forgetting too much costs repeated appends only, which the order-validator finds.
 * Resolves after the first look or a second, with the end of it.
 */
export async function watchOrderLog(options: OrderLogWatchOptions): Promise<() => Promise<void>> {
  const { topic, log, windowMs, logger, forget } = options;
  const memory = new LogMemory(windowMs);
  const states = new StateLog(logger);
  let { partitions } = options;
  /** Looks in a row that failed. */
  let failures = 0;
  let hasLooked = false;
  let takesOrders = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    try {
      const found = await log.look(Array.from({ length: partitions }, (_, partition) => partition));
      if (closed) return;
      partitions = found?.partitions ?? partitions;
      const loss = found === undefined ? 'shorter' : memory.judge(found, performance.now());
      // What was accepted before the first look that succeeds can be compared with nothing.
      if (loss !== undefined || (!hasLooked && takesOrders)) forget();
      if (loss !== undefined && loss !== 'shorter')
        logger.warn({ topic }, `${told[loss]}: accepted orders are forgotten, so that their repeats are appended`);
      if (found !== undefined) hasLooked = true;
      failures = 0;
      states.end('look', 'accepted orders can be looked for in the log again', { topic });
    } catch (error) {
      if (closed) return;
      failures += 1;
      if (failures < FAILURES_TOLD) return;
      const what =
        'cannot look whether the topic still holds accepted orders; their repeats are answered 202 meanwhile';
      states.begin('look', what, { topic, err: error });
    }
  }

  async function keepLooking(): Promise<void> {
    await look();
    if (!closed) timer = setTimeout(keepLooking, LOOK_MS).unref();
  }

  const { promise: late, resolve } = Promise.withResolvers<void>();
  const lateTimer = setTimeout(resolve, FIRST_LOOK_MS_MAX);
  await Promise.race([keepLooking(), late]);
  clearTimeout(lateTimer);
  takesOrders = true;
  return async () => {
    closed = true;
    clearTimeout(timer);
    await log.close();
  };
}
