import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('a consumer that is stopped while brokers come and go lets its process live', async () => {
  const script = fileURLToPath(new URL('stopped-runner.ts', import.meta.url));
  // In a process of its own, because a process that never leaves the microtask queue can't even notice a time limit.
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 20_000, killSignal: 'SIGKILL' });
  expect(stdout).toBe('stopped\n');
}, 30_000);
