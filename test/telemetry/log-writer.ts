import { createLogger, droppedLogLines } from '../../telemetry/logger.ts';

/** Logs far more than a pipe holds, reports on standard output whether the event loop still runs, and ends on request. */
const logger = createLogger('test', 'info');
const LINES = 20_000;
for (let line = 0; line < LINES; line++) logger.info({ line, text: 'x'.repeat(200) }, 'a line');
let turns = 0;
setInterval(() => {
  turns++;
  process.stdout.write(`${JSON.stringify({ turns, dropped: droppedLogLines() })}\n`);
}, 50);
process.stdin.once('end', () => process.exit(0));
process.stdin.once('data', (how) => {
  logger.info('the last line');
  if (String(how).startsWith('throw')) throw new Error('a fault of the program');
  process.exit(0);
});
