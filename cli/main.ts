import { run } from './program.ts';

/** As of a process that SIGPIPE ended: the result is not known to whoever reads it, so it is not 0 either. */
const EXIT_PIPE = 141;

// A reader that has seen enough (`… | head`) closes the pipe: that is the end of the work, and nothing to complain about.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT_PIPE);
  throw error;
});
// Without a reader of what is said about the work, the work goes on: its output and its exit code tell the result.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const exitCode = await run(process.argv.slice(2));
// What a failed start left open would otherwise keep the process; the empty write waits for the output before it.
process.stdout.write('', () => process.exit(exitCode));
