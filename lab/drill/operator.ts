// Runs a command of `ordermesh` as an operator does. Called by main.ts, parked.ts and system.ts.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
  /** From its start to its end. */
  ms: number;
}

/**
 * Runs `ordermesh …` as an operator does, in a process of its own. @throws with what it said unless it ended with one of the accepted codes
 */
export async function runOrdermesh(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: { accept?: readonly number[]; onLine?: (line: string) => void } = {},
): Promise<CommandResult> {
  const { accept = [0], onLine } = options;
  const startedAt = performance.now();
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
      if (stream === 'stderr') for (const line of text.trim().split('\n')) onLine?.(line);
    });
  }
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? -1));
  });
  if (!accept.includes(code)) throw new Error(`ordermesh ${args.join(' ')} ended with status ${code}: ${said.stderr}`);
  return { code, ...said, ms: Math.round(performance.now() - startedAt) };
}
