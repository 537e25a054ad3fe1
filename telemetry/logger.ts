import { type Logger, pino } from 'pino';

export type { Logger };

/** Structured log lines on standard error, so that a command's own output on standard output stays clean. */
export function createLogger(role: string, level: string): Logger {
  return pino({ name: role, level, base: { role } }, pino.destination({ dest: 2, sync: true }));
}
