// Counts what became of the orders of one step. Used by load-run.ts.

import { Latencies, type LatencySummary } from '../traffic/latencies.ts';
import type { SendResult } from '../traffic/sender.ts';
import { bottleneckOf, type OwnCost, OwnCostWatch } from './own-cost.ts';

/** Figures of the measured time of one step. */
export interface StepReport {
  /** The intended rate, in orders a second. */
  rate: number;
  /** The measured time, in seconds. */
  seconds: number;
  /** Orders that were due, a second. */
  offeredPerSecond: number;
  /** Orders whose 202 came within the measured time, a second. */
  acceptedPerSecond: number;
  /** From when an order was due to its 202, of the orders that were due in the measured time. */
  latency: LatencySummary;
  /** Orders due in the measured time that were refused or got no answer. */
  failed: number;
  generator: OwnCost;
  /** Why the generator limited the load; absent when it had time to spare. */
  bottleneck?: string;
}

/** The measured time of a step: it begins at `fromMs` and is open until `end`. */
export class Tally {
  readonly cost = new OwnCostWatch();
  readonly #rate: number;
  readonly #latencies = new Latencies();
  readonly #fromMs: number;
  #toMs: number;
  #lastDueMs = 0;
  #due = 0;
  #answered = 0;
  #failed = 0;
  #own: OwnCost | undefined;

  /** Both times by `performance.now()`. @param toMs absent: until `end` */
  constructor(rate: number, fromMs: number, toMs = Number.POSITIVE_INFINITY) {
    this.#rate = rate;
    this.#fromMs = fromMs;
    this.#toMs = toMs;
  }

  /** An order was sent; @param dueAtMs by `performance.now()` */
  sent(dueAtMs: number): void {
    this.#lastDueMs = dueAtMs;
    if (this.#covers(dueAtMs)) this.#due++;
  }

  /** A result has come now. */
  result({ status, dueAtMs, latencyMs }: SendResult): void {
    if (status === 202 && this.#covers(performance.now())) this.#answered++;
    if (!this.#covers(dueAtMs)) return;
    if (status === 202) this.#latencies.record(latencyMs);
    else this.#failed++;
  }

  /** Ends the measured time. @param unsent orders that were due and not sent: they count as offered */
  end(unsent: number): void {
    // The last order may have been sent a little before it was due.
    this.#toMs = Math.min(this.#toMs, Math.max(performance.now(), this.#lastDueMs + 0.001));
    this.#own = this.cost.lap();
    this.cost.close();
    this.#due += unsent;
  }

  report(): StepReport {
    const seconds = (Math.min(performance.now(), this.#toMs) - this.#fromMs) / 1_000;
    const generator = this.#own ?? { cores: 0, loopDelayP99Ms: 0, lateP99Ms: 0 };
    const bottleneck = bottleneckOf(generator);
    return {
      rate: this.#rate,
      seconds,
      offeredPerSecond: this.#due / seconds,
      acceptedPerSecond: this.#answered / seconds,
      latency: this.#latencies.summary(),
      failed: this.#failed,
      generator,
      ...(bottleneck === undefined ? {} : { bottleneck }),
    };
  }

  #covers(atMs: number): boolean {
    return atMs >= this.#fromMs && atMs < this.#toMs;
  }
}
