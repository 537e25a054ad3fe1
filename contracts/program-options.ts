// How chaos, drill and the benchmarks read their options, and refuse wrong ones.

import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Exit code of a program that was called with something it does not take. */
const EXIT_USAGE = 2;

/** The options of a program that is no command of `ordermesh`. What it does not take ends the process with one line and exit code 2. */
export function programOptions<Config extends ParseArgsConfig>(
  program: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    return refuseOption(
      program,
      `${message}. It takes ${Object.keys(config.options ?? {})
        .map((name) => `--${name}`)
        .join(', ')}`,
    );
  }
}

/** Ends the process with one line on standard error and exit code 2. */
export function refuseOption(program: string, why: string): never {
  process.stderr.write(`${program}: ${why}\n`);
  process.exit(EXIT_USAGE);
}
