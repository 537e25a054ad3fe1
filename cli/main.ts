import { run } from './program.ts';

// A reader that has seen enough (`… | head`) closes the pipe: that is the end of the work, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2));
