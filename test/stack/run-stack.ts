import { loadConfig } from '../../contracts/config/config.ts';
import { startStack } from '../../stack/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { stopWithParent } from '../../telemetry/stop-with-parent.ts';

/** A process with a stack, for tests that end it. It says `ready` and runs until it is stopped. */
const stack = await startStack(loadConfig(), createLogger('run-stack', 'silent'));
if (process.argv.includes('--with-parent')) stopWithParent(() => stack.close().then(() => process.exit()));
setInterval(() => {}, 2 ** 30);
console.log('ready');
