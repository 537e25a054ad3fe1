// Runs programs in processes of their own. Used by the benchmarks.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of this project by its path from the root. */
export const program = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * Runs one program of the benchmarks in a process of its own, so that it has a heap and an event loop for itself.
 * @returns what it printed on standard output.
 * @throws with its standard error when it exits with anything but 0.
 */
export function runProgram(file: string, args: string[], options: ProgramOptions = {}): Promise<string> {
  return runCommand(process.execPath, [file, ...args], options);
}

/** As `runProgram`, for a program that isn't of Node. */
export async function runCommand(command: string, args: string[], options: ProgramOptions = {}): Promise<string> {
  const child = start(command, args, options, [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']);
  let output = '';
  let complaint = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    complaint += chunk;
  });
  // A program that ends before it has read everything reports the reason by its exit code.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} exited with ${code}: ${complaint.trim()}`);
  return output;
}

/** The last line a program printed, as JSON. */
export function lastJson<T>(output: string): T {
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as T;
}

export interface ProgramOptions {
  env?: Record<string, string>;
  input?: string;
}

export interface Program extends AsyncDisposable {
  child: ChildProcess;
}

/** Starts a server program and waits for `ready`. It ends with `SIGTERM` on dispose. */
export async function startProgram(
  file: string,
  args: string[],
  options: ProgramOptions & { ready: (child: ChildProcess) => Promise<unknown> },
): Promise<Program> {
  const child = start(process.execPath, [file, ...args], options, ['ignore', 'ignore', 'inherit', 'ipc']);
  const exited = once(child, 'exit');
  const died = exited.then(([code]) => Promise.reject(new Error(`${file} exited with ${code} before it was ready`)));
  await Promise.race([options.ready(child), died]);
  // After `ready` an exit is no error here: the benchmark sees that the program does not answer.
  died.catch(() => {});
  return {
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function start(
  command: string,
  args: string[],
  { env }: ProgramOptions,
  stdio: ('pipe' | 'ignore' | 'inherit' | 'ipc')[],
): ChildProcess {
  return spawn(command, args, { env: { ...process.env, ...env }, stdio });
}

/** Ready when the program sends its first IPC message. */
export const byMessage = (child: ChildProcess): Promise<unknown> => once(child, 'message');

/** Ready when the URL answers 200. */
export const byAnswer = (url: string) => async (): Promise<void> => {
  for (;;) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => undefined,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
