import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../contracts/config/config.ts';
import { runningStackEnvironment, startStack } from '../../stack/index.ts';
import { createLogger } from '../../telemetry/logger.ts';

/** Where `npm run test:servers` keeps its data, and where a test run looks for them. */
const dataDir = fileURLToPath(new URL('../../.cache/test-servers', import.meta.url));

/** @returns the addresses of the servers that `npm run test:servers` started, or `undefined` when none run. */
export function runningTestServers(): Promise<Record<string, string> | undefined> {
  return runningStackEnvironment(dataDir);
}

/** Starts the servers of the tests and keeps them until Ctrl-C, so that a single test starts in a second. */
async function main(): Promise<void> {
  process.env.METADATA_SERVER_DETECTION ??= 'none';
  const config = loadConfig({ ...process.env, ORDERMESH_DATA_DIR: dataDir });
  const stack = await startStack(config, createLogger('test-servers', 'warn'), {
    onProgress: console.log,
    cloudInForeground: true,
  });
  console.log(`The test servers run. Their data is in ${path.relative('.', dataDir)}; Ctrl-C stops them.`);
  // The servers alone do not keep this process alive.
  const alive = setInterval(() => {}, 2 ** 30);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      clearInterval(alive);
      await stack.close();
      process.exit(0);
    });
  }
}

if (import.meta.main) await main();
