import { type LogEntry, logLevel } from 'kafkajs';
import type { Log } from '../log.ts';

/** A line that has not come for this long is over. */
const QUIET_MS = 30_000;

/** What kafkajs calls an error and what is a step of the protocol (a rebalance, the member id that the first JoinGroup is answered with), or our own end of a client. */
const ordinary = /rebalanc|re-joining|valid member id|Not connected|this client has ended/i;

/**
 * kafkajs's log in the words of ours. kafkajs repeats a line for every attempt: the first is passed on, the others are counted, and
 * a last line says how many there were once none has come for half a minute.
 */
export function kafkajsLog(log: Log): { logLevel: logLevel; logCreator: () => (entry: LogEntry) => void } {
  const repeated = new Map<string, { times: number; timer: NodeJS.Timeout }>();
  const pass = ({ namespace, log: { message, error, broker } }: LogEntry) => {
    const text = `${message}${typeof error === 'string' ? `: ${error}` : ''}`;
    if (ordinary.test(text)) return;
    const key = `${namespace} ${text} ${broker ?? ''}`;
    const known = repeated.get(key);
    if (known !== undefined) {
      known.times += 1;
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
