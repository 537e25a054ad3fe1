import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../contracts/config/config.ts';
import { type Stack, startStack } from '../../stack/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { runningTestServers } from './test-servers.ts';

interface Shared {
  stack: Promise<Stack>;
  users: number;
}

/** Both projects with servers load this file, each in a module scope of its own; they share one stack. */
const shared = globalThis as typeof globalThis & { ordermeshTestStack?: Shared };

/**
 * Takes the servers that `npm run test:servers` started, or starts those that aren't configured in a directory of their own, so that tests
 * never touch the data of `make run`. The test processes get their addresses as environment variables.
 */
export async function setup(): Promise<() => Promise<void>> {
  shared.ordermeshTestStack ??= { stack: start(), users: 0 };
  const { ordermeshTestStack: use } = shared;
  use.users++;
  const stack = await use.stack;
  return async () => {
    use.users--;
    if (use.users > 0) return;
    delete shared.ordermeshTestStack;
    await stack.close();
  };
}

async function start(): Promise<Stack> {
  process.env.METADATA_SERVER_DETECTION ??= 'none';
  const dataDir = await mkdtemp(path.join(tmpdir(), 'ordermesh-test-'));
  const config = loadConfig({ ...(await runningTestServers()), ...process.env, ORDERMESH_DATA_DIR: dataDir });
  try {
    const stack = await startStack(config, createLogger('tests', 'warn'), {
      onProgress: console.log,
      cloudInForeground: true,
    });
    Object.assign(process.env, stack.environment);
    return {
      ...stack,
      async close() {
        await stack.close();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}
