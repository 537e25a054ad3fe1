// Reads how much processor time processes have used, from /proc. Used by main.ts and perf/benches/peers.ts.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** The unit of times in /proc on every Linux (`getconf CLK_TCK`). */
const TICK_US = 10_000;

interface ProcessTimes {
  pid: number;
  parent: number;
  /** Of the process with all its threads, in ticks. */
  own: number;
  /** Of its children that have ended. */
  ended: number;
}

/** User and system time of processes and all their descendants, also those that have ended, in microseconds, by the names of the processes. */
export async function processorTimes(
  pids: Readonly<Record<string, readonly number[]>>,
): Promise<Record<string, number>> {
  const all = await allProcesses();
  const children = Map.groupBy(all.values(), ({ parent }) => parent);
  const treeTicks = (pid: number): number => {
    const process = all.get(pid);
    if (process === undefined) return 0;
    const descendants = (children.get(pid) ?? []).reduce((sum, child) => sum + treeTicks(child.pid), 0);
    return process.own + process.ended + descendants;
  };
  return Object.fromEntries(
    Object.entries(pids).map(([name, of]) => [name, of.reduce((sum, pid) => sum + treeTicks(pid), 0) * TICK_US]),
  );
}

/** Processes of Kafka and PostgreSQL, by the file in which the stack of this data directory notes them. */
export async function serverPids(dataDir: string): Promise<Record<string, number[]>> {
  const { servers } = JSON.parse(await readFile(path.join(dataDir, 'stack.json'), 'utf8')) as {
    servers: { name: string; pid: number }[];
  };
  return Object.fromEntries(servers.map(({ name, pid }) => [name, [pid]]));
}

async function allProcesses(): Promise<Map<number, ProcessTimes>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(timesOf));
  return new Map(found.filter((times) => times !== undefined).map((times) => [times.pid, times]));
}

/** Fields of /proc/PID/stat by their numbers in proc(5); the command, field 2, may hold spaces and parentheses. */
async function timesOf(pid: number): Promise<ProcessTimes | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    return { pid, parent: field(4), own: field(14) + field(15), ended: field(16) + field(17) };
  } catch {
    // It has ended since its name was read.
    return undefined;
  }
}
