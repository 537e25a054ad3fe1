// Starts, watches and replaces one process of a cluster. Created by cluster.ts.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Config, ConfigError } from '../../contracts/config/config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsSnapshot } from '../../telemetry/metrics.ts';
import type { ProfileKind, ThreadProfile } from '../../telemetry/profiling/profile.ts';
import { RestartBackoff } from '../../telemetry/restart-backoff.ts';
import { StateLog, timeOfDay } from '../../telemetry/state-log.ts';
import type { FromMember, ToMember } from './messages.ts';

export const memberEntry = fileURLToPath(new URL('./member.ts', import.meta.url));

/** When a member process does not send its metrics within this time, the scrape has its last ones. */
const SNAPSHOT_MS_MAX = 2_000;
/** A profile that is later than this is given up. */
const PROFILE_LATE_MS = 5_000;
const PING_MS = 1_000;
/**
 * After `PINGS_SILENT` pings in a row without an answer a member process is not ready. After `PINGS_KILLED` the leader kills and replaces it, because the kernel
 * still hands connections to a process that hangs. The leader counts pings instead of time, because it sends no pings while it is stopped itself.
 */
const PINGS_SILENT = 5;
const PINGS_KILLED = 15;
/** A member process that starts loads its code and answers no pings meanwhile. */
const PINGS_KILLED_AT_START = 60;
/** A restart takes less than this. A member process that is down for longer is reported. */
const DOWN_MS = 5_000;

export interface MemberOptions {
  index: number;
  config: Config;
  /** Whether it also opens gRPC, which cannot share a port between processes. */
  opensGrpc: boolean;
  logger: Logger;
  /** The program of the process. */
  entry: string;
  /** Called with the last known metrics when the process ended although it was not asked to. */
  onLost(last: MetricsSnapshot): void;
}

/** One member process of a cluster, as the leader sees it. A process that ends is replaced, until `stop` is called. */
export class MemberProcess {
  /** Whether it listens. */
  started = false;
  /** A trouble with which the process remains ready. */
  remark: string | undefined;
  readonly #options: MemberOptions;
  readonly #states: StateLog;
  /** The reason that the member sent last; `undefined` when it is ready. */
  #memberReason: string | undefined = 'starting';
  /** Pings since the last answer. */
  #unanswered = 0;
  #answeredAt = 0;
  #pings: NodeJS.Timeout | undefined;
  /** Since when the member has not listened, and why: how its process ended, or the reason with which it refused to start. */
  #down: { since: number; why: string } | undefined;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #stopping = false;
  readonly #backoff = new RestartBackoff();
  #timer: NodeJS.Timeout | undefined;
  #last: MetricsSnapshot = [];
  #asked = new Map<number, (snapshot: MetricsSnapshot) => void>();
  #questions = 0;
  #profiled: ((threads: ThreadProfile[]) => void) | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#states = new StateLog(options.logger);
  }

  /** Whether it listens and does not answer pings: connections that the kernel hands to it hang. */
  get hangs(): boolean {
    return this.started && this.#unanswered > PINGS_SILENT;
  }

  /** Why it is not ready; `undefined` when it is. */
  get reason(): string | undefined {
    return this.hangs
      ? `process ${this.#options.index} does not answer since ${timeOfDay(this.#answeredAt)}`
      : this.#memberReason;
  }

  /** Since when and why it does not listen; `undefined` for as long as a restart may take. */
  get down(): string | undefined {
    if (this.#down === undefined || Date.now() - this.#down.since < DOWN_MS) return undefined;
    const { since, why } = this.#down;
    return `process ${this.#options.index} is down since ${timeOfDay(since)}: ${why}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves with its addresses once it listens. @throws the member's own error when its first start fails */
  start(): Promise<Record<string, string>> {
    return new Promise((resolve, reject) => this.#fork(resolve, reject));
  }

  /** The member's metrics; the last known ones if it does not answer in time. */
  snapshot(): Promise<MetricsSnapshot> {
    if (!this.started || this.hangs) return Promise.resolve(this.#last);
    this.#questions++;
    const id = this.#questions;
    return new Promise((resolve) => {
      const give = (snapshot: MetricsSnapshot) => {
        clearTimeout(timer);
        this.#asked.delete(id);
        resolve(snapshot);
      };
      const timer = setTimeout(() => give(this.#last), SNAPSHOT_MS_MAX);
      this.#asked.set(id, give);
      this.#send({ type: 'snapshot', id });
    });
  }

  /** Samples the threads of the process; none if it ends or hangs meanwhile. Do not call it while another call is pending. */
  async profile(seconds: number, kind: ProfileKind): Promise<ThreadProfile[]> {
    if (!this.started || this.hangs) return [];
    const threads = await new Promise<ThreadProfile[]>((resolve) => {
      const late = setTimeout(() => this.#profiled?.([]), seconds * 1_000 + PROFILE_LATE_MS);
      this.#profiled = (profiles) => {
        clearTimeout(late);
        this.#profiled = undefined;
        resolve(profiles);
      };
      this.#send({ type: 'profile', seconds, kind });
    });
    return threads.map((profile) => ({ ...profile, thread: `process ${this.#options.index} ${profile.thread}` }));
  }

  /** Asks the process to finish, and waits. After `killMs` it is killed. */
  async stop(killMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGTERM');
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), killMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #fork(resolve: (addresses: Record<string, string>) => void, reject: (error: Error) => void): void {
    const startedAt = performance.now();
    const { index, config, opensGrpc, entry, logger } = this.#options;
    // A session of its own: Ctrl-C in the terminal reaches the leader only, which then stops the members.
    const child = fork(entry, [], { detached: true, execArgv: [], serialization: 'advanced' });
    this.#child = child;
    this.#unanswered = 0;
    this.#pings = setInterval(() => this.#ping(child), PING_MS).unref();
    let refusal: string | undefined;
    this.#exited = new Promise((exited) => {
      const end = (how: string) => {
        if (this.#child !== child) return;
        this.#ended(startedAt, how, refusal);
        exited();
      };
      child.once('exit', (code, signal) => {
        reject(new Error(`process ${index} of the gateway ended (${signal ?? `status ${code}`})`));
        end(signal ?? `status ${code}`);
      });
      child.on('error', (error) => {
        reject(error);
        // Without a process there is no `exit` event: the machine could not create a process, for example.
        if (child.pid === undefined) end(error.message);
        else logger.warn({ err: error, process: index, pid: child.pid }, 'a process of the gateway cannot be reached');
      });
    });
    child.on('message', (message: FromMember) => {
      if (message.type === 'started') resolve(message.addresses);
      if (message.type === 'refused') {
        refusal = message.message;
        reject(message.name === 'ConfigError' ? new ConfigError(refusal) : new Error(refusal));
      }
      this.#take(message);
    });
    this.#send({ type: 'start', config, opensGrpc });
  }

  #take(message: FromMember): void {
    const { index } = this.#options;
    switch (message.type) {
      case 'started':
        this.started = true;
        this.#down = undefined;
        this.#answered();
        this.#states.end('hangs', `process ${index} of the gateway has been replaced`);
        this.#states.end('down', `process ${index} of the gateway listens again`);
        break;
      case 'refused':
        // The process ends now; `#ended` reports the reason.
        break;
      case 'readiness':
        this.#memberReason = message.reason;
        this.remark = message.remark;
        break;
      case 'pong':
        this.#answered();
        this.#states.end('hangs', `process ${index} of the gateway answers again`);
        break;
      case 'snapshot':
        this.#last = message.snapshot;
        this.#asked.get(message.id)?.(message.snapshot);
        break;
      case 'profile':
        this.#profiled?.(message.threads);
        break;
    }
  }

  #answered(): void {
    this.#unanswered = 0;
    this.#answeredAt = Date.now();
  }

  #ping(child: ChildProcess): void {
    // `stop` has a time limit of its own.
    if (this.#stopping) return;
    const { index } = this.#options;
    this.#unanswered++;
    if (this.hangs)
      this.#states.begin('hangs', `process ${index} of the gateway does not answer; it is killed if that lasts`, {
        process: index,
        pid: child.pid,
      });
    if (this.#unanswered > (this.started ? PINGS_KILLED : PINGS_KILLED_AT_START)) child.kill('SIGKILL');
    this.#send({ type: 'ping' });
  }

  /** When the first start fails, `start` rejects and the cluster decides. Later starts are tried again. */
  #ended(startedAt: number, how: string, refusal: string | undefined): void {
    const { logger, index, onLost } = this.#options;
    const wasUp = this.started;
    this.started = false;
    this.#child = undefined;
    this.#memberReason = 'starting';
    this.remark = undefined;
    clearInterval(this.#pings);
    for (const give of [...this.#asked.values()]) give(this.#last);
    this.#profiled?.([]);
    if (this.#stopping) return;
    onLost(this.#last);
    this.#last = [];
    if (!wasUp && this.#backoff.isFirst) return;
    const waitMs = this.#backoff.next(performance.now() - startedAt);
    const why = refusal ?? how;
    this.#down = { since: this.#down?.since ?? Date.now(), why };
    if (wasUp) logger.error({ process: index, how, waitMs }, 'a process of the gateway ended; it is started again');
    else
      this.#states.begin('down', `process ${index} of the gateway does not start: ${why}; it is tried again`, { how });
    this.#timer = setTimeout(() => this.#fork(noop, noop), waitMs);
  }

  #send(message: ToMember): void {
    // A message that is not delivered needs no report: the channel closes when the process ends, and the exit is reported.
    if (this.#child?.connected === true) this.#child.send(message, noop);
  }
}

function noop(): void {}
