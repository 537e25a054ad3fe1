// The errors that end a command, with exit codes and texts. Commands and what they call throw them; `cli/program.ts` reports them.

import { ConfigError } from './config/config.ts';
import { MenuError } from './order/menu.ts';

/** The command line or the environment asks for something impossible: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The command has done its work, and the answer is no, which it has printed already: exit code 1 without another line. */
export class NegativeResult extends Error {
  override name = 'NegativeResult';
}

export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
}

/** The text that helps a person; the stack only if it was asked for. */
export function describeFailure(error: unknown, verbose: boolean): string {
  if (!(error instanceof Error)) return String(error);
  if (verbose && error.stack !== undefined) return error.stack;
  if (error instanceof MenuError) return `not a menu: ${error.message.replaceAll('\n', '; ')}`;
  if (error instanceof AggregateError && error.message === '') return describeFailure(error.errors[0], verbose);
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}
