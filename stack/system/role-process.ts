// Runs a role in a child process and restarts it whenever it ends. Used by system.ts and by the lab.

import { type ChildProcess, fork } from 'node:child_process';
import { closeSync } from 'node:fs';
import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { adminHeaders } from '../../contracts/config/admin.ts';
import type { Secret } from '../../contracts/config/secret.ts';
import type { RoleName } from '../../contracts/roles.ts';
import { RestartBackoff } from '../../telemetry/restart-backoff.ts';
import type { RoleMessage } from '../../telemetry/role.ts';
import { inSeconds, States } from '../../telemetry/state-log.ts';
import { runInBackground, SilenceWatch } from '../index.ts';
import { followLog, onceWhile, openLog } from './log-file.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

const STOP_MS_MAX = 20_000;
const READY_POLL_MS = 100;
const READY_MS_MAX = 90_000;
/** The configuration is wrong: starting again would not help. */
const EXIT_USAGE = 2;

export interface RoleProcessOptions {
  role: RoleName;
  /** Names its log and its notes; the role by default. For several processes of one role. */
  name?: string;
  /** The command `ordermesh`; that of this release by default. */
  program?: string;
  /** The command line after `ordermesh`. */
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Where its admin port is reached. */
  host: string;
  adminPort: number;
  /** Its ORDERMESH_ADMIN_TOKEN; without it a locked admin port answers whether the role is ready, and not why it is not. */
  adminToken?: Secret | undefined;
  /** Runs at lower CPU priority than the latency-critical roles. */
  background: boolean;
  logDirectory: string;
  /** Lines for people: what the role warns of, and that it was started again. */
  onNote(line: string): void;
}

/** A role in a process of its own that is started again whenever it ends, also after kill -9, until it is stopped. */
export class RoleProcess {
  readonly role: RoleName;
  readonly name: string;
  readonly #options: RoleProcessOptions;
  readonly #log: { file: string; descriptor: number };
  readonly #follower: { close(): void };
  readonly #states = new States();
  #watch: SilenceWatch | undefined;
  #child: ChildProcess | undefined;
  #addresses: Record<string, string> = {};
  #restarts = 0;
  readonly #backoff = new RestartBackoff();
  /** How long it stays away after a kill of ours. */
  #downMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #stopped: Promise<void> | undefined;
  #failure: string | undefined;

  constructor(options: RoleProcessOptions) {
    this.role = options.role;
    this.name = options.name ?? options.role;
    this.#options = options;
    this.#log = openLog(options.logDirectory, this.name);
    const note = onceWhile(
      () => this.#states.since('ended') !== undefined,
      (line) => options.onNote(`[${this.name}] ${line}`),
    );
    this.#follower = followLog(this.#log.file, note);
    this.#start();
  }

  /** How often it was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Absent while no process runs. */
  get pid(): number | undefined {
    return this.#child?.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  /** Kills the process, as `kill -9` does, and starts it again after `downMs`; never, if that is infinite. */
  kill(downMs: number): void {
    if (this.pid === undefined) return;
    this.#downMs = downMs;
    this.#child?.kill('SIGKILL');
  }

  get addresses(): Readonly<Record<string, string>> {
    return this.#addresses;
  }

  /** Resolves once `/readyz` answers 200. @throws when the role refuses its configuration or is not ready in time */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_MS_MAX;
    for (let answer = 'it was not asked yet'; ; ) {
      if (this.#failure !== undefined) throw new Error(`${this.name} does not start: ${this.#failure}`);
      if (performance.now() > deadline) {
        throw new Error(
          `${this.name} is not ready after ${READY_MS_MAX / 1_000} s: ${answer}; its log is ${this.#log.file}`,
        );
      }
      const { status, text } = await readiness(this.#options);
      if (status === 200) {
        this.#watchOver();
        return;
      }
      answer = text;
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  /** Asks it to finish and waits; one that does not finish in time is killed. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    this.#watch?.close();
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
        child.once('exit', () => {
          clearTimeout(timer);
          resolve();
        });
        child.kill('SIGTERM');
      });
    }
    this.#follower.close();
    closeSync(this.#log.descriptor);
  }

  /** From the first time that it was ready: a process that hangs says nothing itself, and its end and return are each said once. */
  #watchOver(): void {
    this.#states.end('ended');
    this.#watch ??= new SilenceWatch({
      what: `[${this.name}]`,
      answers: async () => {
        const { status, text } = await readiness(this.#options);
        // While the role is being started again, this has been reported already.
        if (status === 0 && this.#states.since('ended') === undefined) throw new Error(text);
        const downMs = status === 200 ? this.#states.end('ended') : undefined;
        if (downMs !== undefined) this.#options.onNote(`[${this.name}] is ready again after ${inSeconds(downMs)}`);
      },
      say: (line) => this.#options.onNote(line),
    });
  }

  #start(): void {
    const startedAt = performance.now();
    const { descriptor } = this.#log;
    // A session of its own: Ctrl-C in the terminal reaches the supervisor only, which then stops the roles in their order.
    const child = fork(this.#options.program ?? main, [...this.#options.args], {
      env: this.#options.env,
      detached: true,
      stdio: ['ignore', descriptor, descriptor, 'ipc'],
    });
    this.#child = child;
    if (this.#options.background && child.pid !== undefined) runInBackground(child.pid);
    child.on('message', (message: RoleMessage) => {
      if (message.type === 'started') this.#addresses = message.addresses;
    });
    child.on('error', (error) => this.#ended(startedAt, error.message, null));
    child.on('exit', (code, signal) => this.#ended(startedAt, signal ?? `status ${code}`, code));
  }

  #ended(startedAt: number, how: string, code: number | null): void {
    if (this.#stopping) return;
    if (code === EXIT_USAGE) {
      this.#failure = `it ended with ${how}; its log is ${this.#log.file}`;
      // Before it was ready once, `ready` throws it.
      if (this.#watch !== undefined && this.#states.begin('ended'))
        this.#options.onNote(`[${this.name}] refuses its configuration and is not started again: ${this.#failure}`);
      return;
    }
    const waitMs = this.#downMs ?? this.#backoff.next(performance.now() - startedAt);
    if (waitMs === Number.POSITIVE_INFINITY) {
      this.#states.begin('ended');
      this.#options.onNote(`[${this.name}] ended (${how}) and stays away`);
      return;
    }
    this.#watch?.restarted();
    // Once while it ends again and again: the end of that is said when it is ready.
    if (this.#states.begin('ended') || this.#watch === undefined)
      this.#options.onNote(`[${this.name}] ended (${how}); starting it again in ${waitMs} ms`);
    this.#timer = setTimeout(() => {
      this.#restarts++;
      this.#start();
    }, waitMs);
    this.#downMs = undefined;
  }
}

function readiness({
  host,
  adminPort: port,
  adminToken,
}: RoleProcessOptions): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const headers = adminHeaders({ ORDERMESH_ADMIN_TOKEN: adminToken });
    const request = get({ host, port, path: '/readyz', headers, timeout: 2_000, agent: false }, async (response) => {
      response.setEncoding('utf8');
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, text: text.trim() });
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 2 s')));
    request.on('error', (error) => resolve({ status: 0, text: error.message }));
  });
}
