// Passes kafkajs's log lines on to our log, without the repetitions.

import { type LogEntry, logLevel } from 'kafkajs';
import type { Log } from '../log.ts';

/** A repeated line that has not come for this long has ended. */
const QUIET_MS = 30_000;

/**
 * kafkajs logs these as errors, but they are steps of the protocol (a rebalance, the member id in the answer to the first JoinGroup), or
 * come from our own end of a client.
 */
const ordinary = /rebalanc|re-joining|valid member id|Not connected|this client has ended/i;

/**
 * Writes kafkajs's log lines to our log. kafkajs repeats a line for every attempt: the first one is written, the others are counted, and a
 * last line gives the count when no more has come for half a minute.
 */
export function kafkajsLog(log: Log): { logLevel: logLevel; logCreator: () => (entry: LogEntry) => void } {
  const repeated = new Map<string, { times: number; timer: NodeJS.Timeout }>();
  const pass = ({ namespace, log: { message, error, broker } }: LogEntry) => {
    const text = `${message}${typeof error === 'string' ? `: ${error}` : ''}`;
    if (ordinary.test(text)) return;
    const key = `${namespace} ${text} ${broker ?? ''}`;
    const known = repeated.get(key);
    if (known !== undefined) {
      known.times++;
      known.timer.refresh();
      return;
    }
    const details = { client: 'kafkajs', part: namespace, broker };
    log.warn(details, text);
    const timer = setTimeout(() => {
      const times = repeated.get(key)?.times ?? 1;
      repeated.delete(key);
      if (times > 1) log.info({ ...details, times }, `no longer: ${text}`);
    }, QUIET_MS);
    timer.unref();
    repeated.set(key, { times: 1, timer });
  };
  return { logLevel: logLevel.WARN, logCreator: () => pass };
}
