// Starts and stops server processes. Used by every part of the stack, by MirrorMaker and by the lab.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lastLines } from './commands.ts';
import { runInBackground } from './priority.ts';
import { endProcess, identify, type ProcessIdentity } from './process-identity.ts';
import type { Instance, Server, Supervision } from './server.ts';
import { SupervisedServer } from './supervised-server.ts';

export type { Server } from './server.ts';

const POLL_MS = 50;
const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 15_000;
const guardScript = fileURLToPath(new URL('guard.sh', import.meta.url));

export interface ServerCommand {
  name: string;
  command: string;
  args: string[];
  /** Asks the server to stop soon and cleanly. */
  signal: NodeJS.Signals;
  /** Runs at the lowest CPU priority: it stands in for a service that runs on other machines in production. */
  background?: boolean;
  spawnOptions?: Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'>;
}

/**
 * The server processes of one stack. Each has a log file in the data directory and a session of its own, so that Ctrl-C in the terminal
 * reaches only us; a guard process ends them when we end without doing so.
 */
export class Servers {
  readonly #logDir: string;
  readonly #guard: ChildProcess;
  readonly #running = new Set<(signal?: NodeJS.Signals) => Promise<void>>();
  readonly #onExit: (name: string, reason: string) => void;
  readonly #supervision: Supervision | undefined;
  #closing = false;

  /**
   * @param onExit called when a server ends by itself for good.
   * @param supervision with it, a server that ends by itself is started again, until it is stopped.
   */
  constructor(dataDir: string, onExit: (name: string, reason: string) => void, supervision?: Supervision) {
    this.#supervision = supervision;
    this.#logDir = path.join(dataDir, 'logs');
    this.#onExit = onExit;
    mkdirSync(this.#logDir, { recursive: true });
    this.#guard = spawn('sh', [guardScript], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    // The guard has ended before this process, so it cannot be told.
    this.#guard.stdin?.on('error', () => {});
    this.#guard.unref();
    (this.#guard.stdin as unknown as { unref?(): void }).unref?.();
  }

  /**
   * Starts a server and waits until `serves` succeeds once.
   * @param answers asks a supervised server every few seconds whether it still does; without it the server is only watched for its end.
   * @throws when it ends before, or does not serve within three minutes, with the end of its log.
   */
  async start(
    command: ServerCommand,
    serves: () => Promise<void>,
    answers?: (signal: AbortSignal) => Promise<void>,
  ): Promise<Server> {
    const log = path.join(this.#logDir, `${command.name}.log`);
    startLog(log);
    const launch = (onSpawned: (stop: Instance['stop']) => void) => this.#launch(command, log, serves, onSpawned);
    const instance = await launch(() => {});
    if (this.#supervision !== undefined)
      return new SupervisedServer(
        { instance, launch, answers, log, isClosing: () => this.#closing },
        this.#supervision,
      );
    instance.ended.then((reason) => this.#onExit(command.name, `${reason}; its log is ${log}`));
    return instance;
  }

  /** @param onSpawned gets what stops the process while it does not serve yet. */
  async #launch(
    command: ServerCommand,
    log: string,
    serves: () => Promise<void>,
    onSpawned: (stop: Instance['stop']) => void,
  ): Promise<Instance> {
    const { name, signal } = command;
    const child = this.#spawn(command, log);
    const { promise, resolve } = Promise.withResolvers<string>();
    let ended: string | undefined;
    let stopping = false;
    let identity: ProcessIdentity | undefined;
    const stop = async (by = signal) => {
      stopping = true;
      if (identity !== undefined) await endProcess(identity, by, STOP_LIMIT_MS);
    };
    this.#running.add(stop);
    child.once('error', (error) => {
      ended = error.message;
    });
    child.once('exit', (code, by) => {
      ended = by === null ? `it ended with status ${code}` : `it was ended by ${by}`;
      this.#running.delete(stop);
      if (child.pid !== undefined) this.#tellGuard(`remove ${child.pid}`);
      if (!stopping) resolve(ended);
    });
    if (child.pid !== undefined) this.#tellGuard(`add ${child.pid} ${signal.replace(/^SIG/, '')}`);
    identity = child.pid === undefined ? undefined : await identify(child.pid);
    onSpawned(stop);
    try {
      await waitUntil(serves, () => ended);
    } catch (error) {
      await stop();
      throw new Error(`${name} does not start: ${(error as Error).message}\n${await tail(log)}`, { cause: error });
    }
    if (identity === undefined) {
      // The child process emits its `error` event, which has the reason, only after this code has returned to the event loop.
      await new Promise(setImmediate);
      throw new Error(`${name} has no process${ended === undefined ? '' : `: ${ended}`}`);
    }
    return { record: { name, signal, ...identity }, stop, ended: promise };
  }

  /** Ends everything it started that still runs, all at once, and lets the guard go. */
  async stopAll(signal?: NodeJS.Signals): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#running].map((stop) => stop(signal)));
    this.close();
  }

  /** The servers are stopped; the guard has nothing left to do. */
  close(): void {
    this.#closing = true;
    this.#guard.stdin?.end();
  }

  #spawn({ command, args, background, spawnOptions }: ServerCommand, log: string): ChildProcess {
    const output = openSync(log, 'a');
    try {
      const child = spawn(command, args, { ...spawnOptions, stdio: ['ignore', output, output], detached: true });
      child.unref();
      if (background && child.pid !== undefined) runInBackground(child.pid);
      return child;
    } finally {
      closeSync(output);
    }
  }

  #tellGuard(line: string): void {
    this.#guard.stdin?.write(`${line}\n`);
  }
}

/** A new log file; that of the run before is kept beside it. A restart goes on in the file, so that the last words of a crash stay. */
function startLog(log: string): void {
  rmSync(`${log}.previous`, { force: true });
  try {
    renameSync(log, `${log}.previous`);
  } catch {
    // The first run has no earlier log.
  }
  writeFileSync(log, '');
}

async function waitUntil(serves: () => Promise<void>, ended: () => string | undefined): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      await serves();
      return;
    } catch (error) {
      const reason = ended();
      if (reason !== undefined) throw new Error(reason);
      if (Date.now() > deadline)
        throw new Error(`it does not serve after ${START_LIMIT_MS / 1_000} s (${(error as Error).message})`);
    }
    await sleep(POLL_MS);
  }
}

async function tail(file: string): Promise<string> {
  // It only adds to an error that is being thrown.
  return lastLines(await readFile(file, 'utf8').catch(() => ''));
}
