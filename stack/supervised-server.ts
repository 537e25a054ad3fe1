// Restarts a server whenever it ends by itself. Used by servers.ts.

import { pause } from '../contracts/deadline.ts';
import { RestartBackoff } from '../telemetry/restart-backoff.ts';
import { inSeconds, States } from '../telemetry/state-log.ts';
import type { Instance, Server, Supervision } from './server.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { ServerRecord } from './state.ts';

interface Parts {
  instance: Instance;
  /** Starts another process. @param onSpawned gets what stops the process while it does not serve yet */
  launch(onSpawned: (stop: Instance['stop']) => void): Promise<Instance>;
  answers: ((signal: AbortSignal) => Promise<void>) | undefined;
  log: string;
  /** The whole stack is being stopped. */
  isClosing(): boolean;
}

/** A server that is started again whenever it ends by itself, also after kill -9, and named when it runs and does not answer. */
export class SupervisedServer implements Server {
  readonly #parts: Parts;
  readonly #supervision: Supervision;
  readonly #title: string;
  readonly #states = new States();
  readonly #stopping = new AbortController();
  readonly #watch: SilenceWatch | undefined;
  #instance: Instance;
  #stopCurrent: Instance['stop'];
  #restarting: Promise<void> = Promise.resolve();
  #startedAt = performance.now();
  readonly #backoff = new RestartBackoff();

  constructor(parts: Parts, supervision: Supervision) {
    this.#parts = parts;
    this.#supervision = supervision;
    this.#title = supervision.title(parts.instance.record.name);
    this.#instance = parts.instance;
    this.#stopCurrent = parts.instance.stop;
    const { answers } = parts;
    if (answers !== undefined)
      this.#watch = new SilenceWatch({
        what: this.#title,
        // While the server is being started again, this has been reported already.
        answers: async (signal) => (this.#states.since('ended') === undefined ? answers(signal) : undefined),
        say: (line) => supervision.say(line),
      });
    this.#guard();
  }

  get record(): ServerRecord {
    return this.#instance.record;
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    this.#stopping.abort();
    this.#watch?.close();
    await this.#stopCurrent(signal);
    await this.#restarting;
  }

  #guard(): void {
    this.#instance.ended.then((reason) => {
      this.#restarting = this.#restart(reason);
    });
  }

  get #isOver(): boolean {
    return this.#stopping.signal.aborted || this.#parts.isClosing();
  }

  /** Never rejects: tries until the server serves or is stopped. */
  async #restart(reason: string): Promise<void> {
    if (this.#isOver) return;
    this.#states.begin('ended');
    this.#watch?.restarted();
    const { say, onRestart } = this.#supervision;
    say(`${this.#title} ended by itself (${reason}; its log is ${this.#parts.log}); it is started again`);
    for (let livedMs = performance.now() - this.#startedAt; ; livedMs = 0) {
      await pause(this.#backoff.next(livedMs), this.#stopping.signal);
      if (this.#isOver) return;
      this.#startedAt = performance.now();
      try {
        this.#instance = await this.#parts.launch((stop) => {
          this.#stopCurrent = stop;
          // Stopped between the wait and the start.
          if (this.#isOver) void stop();
        });
        break;
      } catch (error) {
        if (!this.#isOver && this.#states.begin('refuses')) say(`${(error as Error).message}; trying again`);
      }
    }
    this.#states.end('refuses');
    try {
      onRestart(this.#instance.record);
      this.#states.end('unnoted');
    } catch (error) {
      // The server serves. Only if the guard of this run is killed too, the next run does not find the process and cannot end it.
      if (this.#states.begin('unnoted'))
        say(
          `${this.#title} was started again as process ${this.#instance.record.pid}, which could not be noted: ${(error as Error).message}`,
        );
    }
    this.#watch?.restarted();
    say(`${this.#title} serves again after ${inSeconds(this.#states.end('ended') ?? 0)}`);
    this.#guard();
  }
}
