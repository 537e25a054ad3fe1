// Creates loggers. Called at the start of each role and program.

import { type Logger, pino } from 'pino';
import { LogDestination } from './log-destination.ts';

export type { Logger };

/** One for all loggers of the process: each would have a bound and a queue of its own. */
let destination: LogDestination | undefined;

/** Structured log lines on standard error, so that a command's own output on standard output stays clean. */
export function createLogger(role: string, level: string): Logger {
  const options = { name: role, level, base: { role } };
  // Nothing to write, so nothing to open: tests make many of these.
  if (level === 'silent') return pino(options, { write() {} });
  destination ??= new LogDestination();
  const logger = pino(options, destination);
  destination.onFlowing ??= (lines) =>
    logger.error({ lines }, `${lines} log lines were dropped: standard error took nothing for a while`);
  return logger;
}

/** Log lines of this process that were dropped because their reader stopped reading. */
export function droppedLogLines(): number {
  return destination?.dropped ?? 0;
}
