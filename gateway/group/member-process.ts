import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Config, ConfigError } from '../../contracts/config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsSnapshot } from '../../telemetry/metrics.ts';
import type { ThreadProfile } from '../../telemetry/profile.ts';
import type { FromMember, ToMember } from './messages.ts';

const entry = fileURLToPath(new URL('./member.ts', import.meta.url));

const RESTART_MS = 250;
const RESTART_MS_MAX = 5_000;
/** A member that lived so long is started again without waiting longer than at first. */
const STEADY_MS = 30_000;
/** A member that does not tell its metrics by then is left out of this scrape. */
const SNAPSHOT_MS_MAX = 2_000;

export interface MemberOptions {
  index: number;
  config: Config;
  /** Whether it opens the ways in that cannot share their port. */
  opensBeside: boolean;
  logger: Logger;
  /** The process ended unasked; what it told of its metrics last. */
  onLost(last: MetricsSnapshot): void;
}

/** One member of a group in a process of its own, which is replaced whenever it ends, until it is stopped. */
export class MemberProcess {
  /** Why it is not ready; `undefined` when it is. */
  reason: string | undefined = 'starting';
  /** Whether it listens. */
  started = false;
  readonly #options: MemberOptions;
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
    if (!this.started) return Promise.resolve(this.#last);
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

  /** Samples its threads, one time at a time; none if it ends meanwhile. */
  async profile(seconds: number): Promise<ThreadProfile[]> {
    if (!this.started) return [];
    const threads = await new Promise<ThreadProfile[]>((resolve) => {
      this.#profiled = resolve;
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
    const { config, opensBeside } = this.#options;
    // A session of its own: Ctrl-C in the terminal reaches the leader only, which then stops the members.
    const child = fork(entry, [], { detached: true, execArgv: [], serialization: 'advanced' });
    this.#child = child;
    this.#exited = new Promise((exited) => {
      child.once('exit', (code, signal) => {
        reject(new Error(`process ${this.#options.index} of the gateway ended (${signal ?? `status ${code}`})`));
        this.#ended(startedAt, signal ?? `status ${code}`);
        exited();
      });
    });
    child.on('error', reject);
    child.on('message', (message: FromMember) => {
      switch (message.type) {
        case 'started':
          this.started = true;
          resolve(message.addresses);
          break;
        case 'refused':
          reject(message.name === 'ConfigError' ? new ConfigError(message.message) : new Error(message.message));
          break;
        case 'readiness':
          this.reason = message.reason;
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

  /** A first start that failed is the group's to judge; later ones are tried again. */
  #ended(startedAt: number, how: string): void {
    const { logger, index, onLost } = this.#options;
    const wasUp = this.started;
    this.started = false;
    this.reason = 'starting';
    for (const give of [...this.#asked.values()]) give(this.#last);
    this.#profiled?.([]);
    if (this.#stopping) return;
    onLost(this.#last);
    this.#last = [];
    if (!wasUp && this.#backoffMs === RESTART_MS) return;
    if (performance.now() - startedAt > STEADY_MS) this.#backoffMs = RESTART_MS;
    const waitMs = this.#backoffMs;
    this.#backoffMs = Math.min(RESTART_MS_MAX, waitMs * 2);
    logger.error({ process: index, how, waitMs }, 'a process of the gateway ended; it is started again');
    this.#timer = setTimeout(() => this.#fork(noop, noop), waitMs);
  }

  #send(message: ToMember): void {
    // Not after the channel has closed: the exit that follows says the rest.
    if (this.#child?.connected === true) this.#child.send(message, noop);
  }
}

function noop(): void {}
