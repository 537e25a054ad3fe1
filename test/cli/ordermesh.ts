import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../cli/ordermesh', import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command line in a process of its own, with none of our variables but those given. */
export async function ordermesh(
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<Finished> {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(ORDERMESH_|KAFKA_BROKERS|DATABASE_URL)/.test(name)),
  );
  const child = spawn(launcher, [...args], { env: { ...clean, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [code, stdout, stderr] = await Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}
