import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';

/**
 * Keeps something outside in place: runs an idempotent task at start, then every `intervalMs`, and remembers whether it last worked.
 * So a role starts while the service is down, says so in its readiness, and finds its topics again after an emulator lost them.
 */
export class Upkeep {
  readonly #what: string;
  readonly #task: () => Promise<void>;
  readonly #states: StateLog;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(what: string, task: () => Promise<void>, logger: Logger, intervalMs: number) {
    this.#what = what;
    this.#task = task;
    this.#states = new StateLog(logger);
    this.#problem = `${what} not checked yet`;
    this.#timer = setInterval(() => void this.run(), intervalMs).unref();
    void this.run();
  }

  /** Why it isn't in place, or `undefined`. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Runs the task now, or joins the run under way. Never rejects: the outcome is `problem`. */
  run(): Promise<void> {
    this.#running ??= this.#task()
      .then(
        () => this.#note(undefined),
        (error: Error) => this.#note(error.message),
      )
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #note(problem: string | undefined): void {
    if (problem === undefined) this.#states.end('missing', `${this.#what} in place again`);
    else this.#states.begin('missing', `${this.#what} not in place`, { reason: problem });
    this.#problem = problem;
  }
}
