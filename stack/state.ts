// Reads and writes `stack.json`, and locks a data directory for one stack. Used by stack.ts, environment.ts and the lab.

import { renameSync, writeFileSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

export interface ServerRecord extends ProcessIdentity {
  name: string;
  signal: NodeJS.Signals;
}

/** What `stack.json` keeps between runs, and tells other processes during one. */
export interface StackState {
  ports: Record<string, number>;
  /** Servers that were started; after a crash some may still run. */
  servers: ServerRecord[];
  /** Addresses by environment variable; only while everything serves. */
  environment?: Record<string, string>;
}

/** Another process has this data directory's stack running. */
export class StackRunningError extends Error {
  override name = 'StackRunningError';
}

const stateFile = (dataDir: string) => path.join(dataDir, 'stack.json');
const lockFile = (dataDir: string) => path.join(dataDir, 'stack.lock');

export async function readState(dataDir: string): Promise<StackState> {
  return (await readJson<StackState>(stateFile(dataDir))) ?? { ports: {}, servers: [] };
}

/** Only the holder of the lock writes. Written synchronously, so that parts that start in parallel don't overtake each other. */
export function writeState(dataDir: string, state: StackState): void {
  const file = stateFile(dataDir);
  writeFileSync(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/**
 * Makes this process the only one that runs a stack in the directory. The lock of a process that has ended is taken over.
 * @returns what gives the lock back.
 * @throws StackRunningError naming the process that has it.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true });
  const file = lockFile(dataDir);
  const own = `${file}.${process.pid}`;
  await writeFile(own, JSON.stringify(await identify(process.pid)));
  try {
    while (!(await linked(own, file))) {
      const holder = await lockHolder(dataDir);
      if (holder !== undefined)
        throw new StackRunningError(
          `another run (process ${holder.pid}) uses ${dataDir}; stop it first, or set ORDERMESH_DATA_DIR to another directory`,
        );
      await rm(file, { force: true });
    }
  } finally {
    await rm(own);
  }
  return () => rm(file, { force: true });
}

/**
 * The addresses of the stack that runs in the directory, as environment variables; `undefined` when none runs. Commands in another
 * terminal find the servers of `ordermesh up` with it.
 */
export async function runningStackEnvironment(dataDir: string): Promise<Record<string, string> | undefined> {
  const absolute = path.resolve(dataDir);
  return (await lockHolder(absolute)) === undefined ? undefined : (await readState(absolute)).environment;
}

async function lockHolder(dataDir: string): Promise<ProcessIdentity | undefined> {
  const holder = await readJson<ProcessIdentity>(lockFile(dataDir));
  return holder !== undefined && (await isAlive(holder)) ? holder : undefined;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A file that a crash cut off counts as missing.
    if (code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
