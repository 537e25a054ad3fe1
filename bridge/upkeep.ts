// Repeats a task that keeps topics, subscriptions or tables in place. Used by the roles bridge, loyalty and warehouse.

import { Counter, type Registry } from 'prom-client';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';

/** Called with the name of what was created, such as "topic order-events". */
export type OnMade = (what: string) => void;

export interface UpkeepOptions {
  logger: Logger;
  intervalMs: number;
  /** The registry gets one counter of what was created again; the tasks of a role share it. */
  registry: Registry;
}

const REMADE = 'ordermesh_google_cloud_remade_total';

/**
 * Keeps something outside in place: runs an idempotent task at start and then every `intervalMs`, and remembers whether the last run
 * succeeded. So a role can start while the service is down, its readiness says so, and topics that an emulator has lost are created again.
 * What the first successful run creates is a new installation. What a later run creates had been lost; that is logged and counted.
 */
export class Upkeep {
  readonly #what: string;
  readonly #task: (onMade: OnMade) => Promise<void>;
  readonly #logger: Logger;
  readonly #states: StateLog;
  readonly #timer: NodeJS.Timeout;
  readonly #remade: Counter;
  #hasWorked = false;
  #running: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(what: string, task: (onMade: OnMade) => Promise<void>, { logger, intervalMs, registry }: UpkeepOptions) {
    this.#logger = logger;
    this.#remade = (registry.getSingleMetric(REMADE) as Counter | undefined) ?? remadeCounter(registry);
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

  /** Runs the task now, or joins the run in flight. Never rejects: `problem` has the result. */
  run(): Promise<void> {
    this.#running ??= this.#task((made) => this.#noteMade(made))
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
    if (problem === undefined) {
      this.#hasWorked = true;
      this.#states.end('missing', `${this.#what} in place again`);
    } else this.#states.begin('missing', `${this.#what} not in place`, { reason: problem });
    this.#problem = problem;
  }

  #noteMade(made: string): void {
    if (!this.#hasWorked) return;
    this.#remade.inc();
    this.#logger.error({ made }, `${made} was gone and is made again; what it held is lost`);
  }
}

function remadeCounter(registry: Registry): Counter {
  return new Counter({
    name: REMADE,
    help: 'Topics, subscriptions and tables that were gone and are made again; what they held is lost.',
    registers: [registry],
  });
}
