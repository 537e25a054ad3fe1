import { run } from './program.ts';

// A reader that has seen enough (`… | head`) closes the pipe: that is the end of the work, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const exitCode = await run(process.argv.slice(2));
// What a failed start left open would otherwise keep the process; the empty write waits for the output before it.
process.stdout.write('', () => process.exit(exitCode));
