// The program `ordermesh`: runs one command line and exits with its code. Started by `cli/ordermesh`, and by stack/system/ for each role.

import { run } from './program.ts';

/** The exit code of a process that SIGPIPE ended. Not 0, because the reader has not seen the whole result. */
const EXIT_PIPE = 141;

// A reader that has seen enough (`… | head`) closes the pipe: the command ends without an error message.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT_PIPE);
  throw error;
});
// Without a reader of standard error the work goes on: standard output and the exit code tell the result.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const exitCode = await run(process.argv.slice(2));
// Connections that a failed start left open would keep the process alive, so it exits; the empty write waits for the output before it.
process.stdout.write('', () => process.exit(exitCode));
