// Identifies, checks and ends processes by their id and start time. Used by cache.ts, servers.ts, stack.ts and state.ts.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A process that cannot be confused with a later one of the same id. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in whatever form the system tells it; only ever compared. */
  started: string;
}

/** `undefined` when no such process runs; one that has ended and only waits for its parent to notice does not. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === 'linux' ? await startTicks(pid) : await startTime(pid);
  return started === undefined ? undefined : { pid, started };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.started === identity.started;
}

/** Signals, waits, and ends the process and its group after the limit. */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, limitMs: number): Promise<void> {
  if (!(await isAlive(identity))) return;
  send(identity.pid, signal);
  const deadline = Date.now() + limitMs;
  while (await isAlive(identity)) {
    if (Date.now() > deadline) {
      send(-identity.pid, 'SIGKILL');
      send(identity.pid, 'SIGKILL');
      return;
    }
    await sleep(25);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Field 22 of /proc/PID/stat; the command before it may hold spaces and parentheses. */
async function startTicks(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    // No such process.
    return undefined;
  }
}

async function startTime(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
    const [state = 'Z', ...started] = stdout.trim().split(/\s+/);
    return state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    // No such process.
    return undefined;
  }
}
