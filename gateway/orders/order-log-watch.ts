// Watches the topic of the orders for lost records. Started by gateway.ts.

import { settlesWithin } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import type { TopicLog } from '../../kafka/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import { type LogLoss, LogMemory } from './log-memory.ts';

const LOOK_MS = 5_000;
/** The gateway waits at most this long for the first look before it takes orders. */
const FIRST_LOOK_MS_MAX = 1_000;
/** One or two looks may fail while a broker is replaced; this many in a row are logged. */
const FAILURES_LOGGED = 3;

const lossTexts: Readonly<Record<Exclude<LogLoss, 'shorter'>, string>> = {
  recreated: 'the topic was deleted and created again',
  truncated: 'the topic has lost records at its end',
  removed: 'records that are younger than ORDERMESH_RECENT_AGE were removed from the topic',
};

export interface OrderLogWatchOptions {
  topic: string;
  log: Pick<TopicLog, 'look' | 'close'>;
  /** The configured number; the first look finds the real one. */
  partitions: number;
  /** How long the gateway remembers accepted orders at most. */
  windowMs: number;
  logger: Logger;
  /** Called when accepted orders may have been lost with the log. */
  forget(): void;
}

/**
 * Looks every five seconds whether the topic still holds what was accepted in the window. Without this, a repeat of an order that was lost with its log
 * would be answered 202 from memory, and the order would be in no log. Forgetting too much costs only repeated appends, which the order-validator
 * recognizes. Resolves after the first look, or after a second, with a function that ends the watch.
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
      if (found === undefined)
        states.begin('missing', 'the topic does not exist: accepted orders are forgotten', { topic });
      else states.end('missing', 'the topic exists again', { topic });
      partitions = found?.partitions ?? partitions;
      const loss = found === undefined ? 'shorter' : memory.judge(found, performance.now());
      // For orders that were accepted before the first successful look there is no earlier state of the log to compare with.
      if (loss !== undefined || (!hasLooked && takesOrders)) forget();
      if (loss !== undefined && loss !== 'shorter')
        logger.warn({ topic }, `${lossTexts[loss]}: accepted orders are forgotten, so that their repeats are appended`);
      if (found !== undefined) hasLooked = true;
      failures = 0;
      states.end('look', 'accepted orders can be looked for in the log again', { topic });
    } catch (error) {
      if (closed) return;
      failures++;
      if (failures < FAILURES_LOGGED) return;
      const what =
        'cannot look whether the topic still holds accepted orders; their repeats are answered 202 meanwhile';
      states.begin('look', what, { topic, err: error });
    }
  }

  async function keepLooking(): Promise<void> {
    await look();
    if (!closed) timer = setTimeout(keepLooking, LOOK_MS).unref();
  }

  await settlesWithin(systemTimers, FIRST_LOOK_MS_MAX, keepLooking());
  takesOrders = true;
  return async () => {
    closed = true;
    clearTimeout(timer);
    // No look needs the connection any more, so a failed close loses nothing and the shutdown goes on.
    await log
      .close()
      .catch((error: Error) => logger.warn({ err: error, topic }, 'the reader of the log did not close'));
  };
}
