// Cuts a load into seconds, for the live view and the page. Used by load-run.ts.

import { Latencies } from '../traffic/latencies.ts';
import type { SendResult } from '../traffic/sender.ts';
import { type OwnCost, OwnCostWatch } from './own-cost.ts';

/** One second of a load. */
export interface Second extends OwnCost {
  /** Its end, in seconds since the load began. */
  atS: number;
  /** The intended rate, in orders a second; 0 while the load waits for answers. */
  rate: number;
  sentPerSecond: number;
  acceptedPerSecond: number;
  failedPerSecond: number;
  /** Orders without an answer at its end. */
  inFlight: number;
  /** Of the orders that were accepted in this second, from when each was due. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export class Timeline {
  readonly seconds: Second[] = [];
  readonly cost = new OwnCostWatch();
  rate = 0;
  readonly #latencies = new Latencies();
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  readonly #onSecond: ((second: Second) => void) | undefined;
  #lapAt = this.#startedAt;
  #sent = 0;
  #failed = 0;
  #inFlight = 0;

  constructor(onSecond?: (second: Second) => void) {
    this.#onSecond = onSecond;
    this.#timer = setInterval(() => this.#lap(), 1_000).unref();
  }

  sent(): void {
    this.#sent++;
    this.#inFlight++;
  }

  result({ status, latencyMs }: SendResult): void {
    this.#inFlight--;
    if (status === 202) this.#latencies.record(latencyMs);
    else this.#failed++;
  }

  close(): void {
    clearInterval(this.#timer);
    this.cost.close();
  }

  #lap(): void {
    const now = performance.now();
    const seconds = (now - this.#lapAt) / 1_000;
    const { count, p50Ms, p99Ms, maxMs } = this.#latencies.summary();
    const second = {
      atS: (now - this.#startedAt) / 1_000,
      rate: this.rate,
      sentPerSecond: this.#sent / seconds,
      acceptedPerSecond: count / seconds,
      failedPerSecond: this.#failed / seconds,
      inFlight: this.#inFlight,
      p50Ms,
      p99Ms,
      maxMs,
      ...this.cost.lap(),
    };
    this.#lapAt = now;
    this.#sent = 0;
    this.#failed = 0;
    this.#latencies.reset();
    this.seconds.push(second);
    this.#onSecond?.(second);
  }
}
