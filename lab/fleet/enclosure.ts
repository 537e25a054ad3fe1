// Starts the fleet program in namespaces of its own, so that nothing of a run stays behind however it ends. Called by main.ts.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { run } from '../../stack/index.ts';

/** What the namespaces are made and joined with, by the package of Debian that has it. */
const tools = { ip: 'iproute2', unshare: 'util-linux', setpriv: 'util-linux', mount: 'mount' };
type Tool = keyof typeof tools;

/** Root on a system with apt gets what is missing. @throws naming what is missing and its package */
export async function installTools(say: (line: string) => void): Promise<void> {
  const missing = await missingTools();
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tools[tool]))];
  const why = `make fleet needs ${missing.join(', ')}`;
  const fix = `${why}; install ${packages.join(', ')} (Debian: apt-get install ${packages.join(' ')})`;
  if (process.getuid?.() !== 0) throw new Error(fix);
  say(`${why}; installing ${packages.join(', ')}`);
  const apt = (...args: string[]) => run('apt-get', args, { doing: `apt-get ${args.join(' ')}`, missing: fix });
  await apt('update');
  await apt('install', '-y', '--no-install-recommends', ...packages);
  const still = await missingTools();
  if (still.length > 0) throw new Error(fix);
}

async function missingTools(): Promise<Tool[]> {
  const checks = (Object.keys(tools) as Tool[]).map(async (tool) => {
    const there = await run('sh', ['-c', `command -v ${tool}`], {
      doing: 'looking for a program',
      missing: 'no sh',
    }).then(
      () => true,
      () => false,
    );
    return there ? [] : [tool];
  });
  return (await Promise.all(checks)).flat();
}

/**
 * Runs a program of this project in a network, a process tree and mounts of its own. When this process ends, also by kill -9, the kernel
 * ends all that was started in there, and the devices of the network with it. Users other than root get a user namespace too.
 * @returns the program's exit code
 */
export function runEnclosed(program: string, args: readonly string[], stopping: Promise<unknown>): Promise<number> {
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const namespaces = [...asRoot, '--net', '--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', ...namespaces, process.execPath, program, ...args],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  void stopping.then(() => child.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
