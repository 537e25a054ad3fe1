import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../cli/ordermesh', import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

const ours = /^(ORDERMESH_|KAFKA_|DATABASE_|PUBSUB_EMULATOR_HOST$|BIGQUERY_EMULATOR_HOST$|GOOGLE_CLOUD_PROJECT$)/;

/** Starts a command line in a process of its own, with none of our variables but those given. */
export function startOrdermesh(args: readonly string[], env: Record<string, string> = {}, cwd?: string) {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  return spawn(launcher, [...args], { cwd, env: { ...clean, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Runs a command line to its end. */
export async function ordermesh(
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
  cwd?: string,
): Promise<Finished> {
  const child = startOrdermesh(args, env, cwd);
  child.stdin.end(input);
  const [code, stdout, stderr] = await Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}
