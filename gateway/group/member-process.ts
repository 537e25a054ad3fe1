import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Config, ConfigError } from '../../contracts/config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsSnapshot } from '../../telemetry/metrics.ts';
import type { ThreadProfile } from '../../telemetry/profile.ts';
import { StateLog, timeOfDay } from '../../telemetry/state-log.ts';
import type { FromMember, ToMember } from './messages.ts';

export const memberEntry = fileURLToPath(new URL('./member.ts', import.meta.url));

const RESTART_MS = 250;
const RESTART_MS_MAX = 5_000;
/** A member that lived so long is started again without waiting longer than at first. */
const STEADY_MS = 30_000;
/** A member that does not tell its metrics by then is left out of this scrape. */
const SNAPSHOT_MS_MAX = 2_000;
/** A profile that is this late does not come. */
const PROFILE_LATE_MS = 5_000;
const PING_MS = 1_000;
/**
 * After this many pings in a row without an answer a member is not ready, and after more of them it is killed and replaced: it hangs, and the kernel goes
 * on handing connections to it. Pings are counted, not time: a leader that was stopped itself has not asked.
 */
const PINGS_SILENT = 5;
const PINGS_KILLED = 15;
/** While it starts, it loads its code and answers nothing. */
const PINGS_KILLED_AT_START = 60;
/** A member that is replaced is away for a moment; one that is away for longer is told of. */
const DOWN_MS = 5_000;

export interface MemberOptions {
  index: number;
  config: Config;
  /** Whether it opens the ways in that cannot share their port. */
  opensBeside: boolean;
  logger: Logger;
  /** The program of the process. */
  entry: string;
  /** The process ended unasked; what it told of its metrics last. */
  onLost(last: MetricsSnapshot): void;
}

/** One member of a group in a process of its own, which is replaced whenever it ends, until it is stopped. */
export class MemberProcess {
  /** Whether it listens. */
  started = false;
  /** A trouble that leaves it ready. */
  remark: string | undefined;
  readonly #options: MemberOptions;
  readonly #states: StateLog;
  /** What it says of its readiness; `undefined` when it is ready. */
  #told: string | undefined = 'starting';
  /** Pings since its last answer. */
  #unanswered = 0;
  #answeredAt = 0;
  #pings: NodeJS.Timeout | undefined;
  /** Since when it has not listened, and how its process ended or what it said when it did not start. */
  #down: { since: number; why: string } | undefined;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #stopping = false;
  #backoffMs = RESTART_MS;
  #timer: NodeJS.Timeout | undefined;
  #last: MetricsSnapshot = [];
  #asked = new Map<number, (snapshot: MetricsSnapshot) => void>();
  #questions = 0;
  #profiled: ((threads: ThreadProfile[]) => void) | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#states = new StateLog(options.logger);
  }

  /** Whether it listens and does not answer: the connections that the kernel hands to it hang. */
  get hangs(): boolean {
    return this.started && this.#unanswered > PINGS_SILENT;
  }

  /** Why it is not ready; `undefined` when it is. */
  get reason(): string | undefined {
    return this.hangs
      ? `process ${this.#options.index} does not answer since ${timeOfDay(this.#answeredAt)}`
      : this.#told;
  }

  /** Since when and why it does not listen, once that has lasted longer than a restart takes. */
  get down(): string | undefined {
    if (this.#down === undefined || Date.now() - this.#down.since < DOWN_MS) return undefined;
    const { since, why } = this.#down;
    return `process ${this.#options.index} is down since ${timeOfDay(since)}: ${why}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves with its addresses once it listens. @throws what the member says when its first start fails */
  start(): Promise<Record<string, string>> {
    return new Promise((resolve, reject) => this.#fork(resolve, reject));
  }

  /** What it counted; what it told last if it does not answer in time. */
  snapshot(): Promise<MetricsSnapshot> {
    if (!this.started || this.hangs) return Promise.resolve(this.#last);
    this.#questions += 1;
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

  /** Samples its threads, one time at a time; none if it ends or hangs meanwhile. */
  async profile(seconds: number): Promise<ThreadProfile[]> {
    if (!this.started || this.hangs) return [];
    const threads = await new Promise<ThreadProfile[]>((resolve) => {
      const late = setTimeout(() => this.#profiled?.([]), seconds * 1_000 + PROFILE_LATE_MS);
      this.#profiled = (profiles) => {
        clearTimeout(late);
        this.#profiled = undefined;
        resolve(profiles);
      };
      this.#send({ type: 'profile', seconds });
    });
    return threads.map((profile) => ({ ...profile, thread: `process ${this.#options.index} ${profile.thread}` }));
  }

  /** Asks it to finish and waits; after `killMs` it is killed. */
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
    const { config, opensBeside, entry } = this.#options;
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
        reject(new Error(`process ${this.#options.index} of the gateway ended (${signal ?? `status ${code}`})`));
        end(signal ?? `status ${code}`);
      });
      child.on('error', (error) => {
        reject(error);
        // There was no process, so there is no exit: the machine has no room for one, for example.
        if (child.pid === undefined) end(error.message);
      });
    });
    child.on('message', (message: FromMember) => {
      switch (message.type) {
        case 'started':
          this.started = true;
          this.#down = undefined;
          this.#answered();
          this.#states.end('hangs', `process ${this.#options.index} of the gateway has been replaced`);
          this.#states.end('down', `process ${this.#options.index} of the gateway listens again`);
          resolve(message.addresses);
          break;
        case 'refused':
          refusal = message.message;
          reject(message.name === 'ConfigError' ? new ConfigError(message.message) : new Error(message.message));
          break;
        case 'readiness':
          this.#told = message.reason;
          this.remark = message.remark;
          break;
        case 'pong':
          this.#answered();
          this.#states.end('hangs', `process ${this.#options.index} of the gateway answers again`);
          break;
        case 'snapshot':
          this.#last = message.snapshot;
          this.#asked.get(message.id)?.(message.snapshot);
          break;
        case 'profile':
          this.#profiled?.(message.threads);
          break;
      }
    });
    this.#send({ type: 'start', config, opensBeside });
  }

  #answered(): void {
    this.#unanswered = 0;
    this.#answeredAt = Date.now();
  }

  #ping(child: ChildProcess): void {
    // The time limit of the stop holds then.
    if (this.#stopping) return;
    const { index } = this.#options;
    this.#unanswered += 1;
    if (this.hangs)
      this.#states.begin('hangs', `process ${index} of the gateway does not answer; it is killed if that lasts`, {
        process: index,
        pid: child.pid,
      });
    if (this.#unanswered > (this.started ? PINGS_KILLED : PINGS_KILLED_AT_START)) child.kill('SIGKILL');
    this.#send({ type: 'ping' });
  }

  /** A first start that failed is the group's to judge; later ones are tried again. */
  #ended(startedAt: number, how: string, refusal: string | undefined): void {
    const { logger, index, onLost } = this.#options;
    const wasUp = this.started;
    this.started = false;
    this.#child = undefined;
    this.#told = 'starting';
    this.remark = undefined;
    clearInterval(this.#pings);
    for (const give of [...this.#asked.values()]) give(this.#last);
    this.#profiled?.([]);
    if (this.#stopping) return;
    onLost(this.#last);
    this.#last = [];
    if (!wasUp && this.#backoffMs === RESTART_MS) return;
    if (performance.now() - startedAt > STEADY_MS) this.#backoffMs = RESTART_MS;
    const waitMs = this.#backoffMs;
    this.#backoffMs = Math.min(RESTART_MS_MAX, waitMs * 2);
    const why = refusal ?? how;
    this.#down = { since: this.#down?.since ?? Date.now(), why };
    if (wasUp) logger.error({ process: index, how, waitMs }, 'a process of the gateway ended; it is started again');
    else
      this.#states.begin('down', `process ${index} of the gateway does not start: ${why}; it is tried again`, { how });
    this.#timer = setTimeout(() => this.#fork(noop, noop), waitMs);
  }

  #send(message: ToMember): void {
    // Not after the channel has closed: the exit that follows says the rest.
    if (this.#child?.connected === true) this.#child.send(message, noop);
  }
}

function noop(): void {}
