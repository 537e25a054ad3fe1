// Finds the knee: the highest rate that a gateway holds. Used by `ordermesh load --ramp`; knows no server.

/** What a step must tell about a rate; a StepReport does. */
export interface RateFigures {
  offeredPerSecond: number;
  acceptedPerSecond: number;
  latency: { p99Ms: number };
  bottleneck?: string;
}

export interface KneeOptions {
  /** Sends at a rate for that many seconds, and waits until everything is answered. */
  measure(rate: number, seconds: number): Promise<RateFigures>;
  /** The first rate, in orders a second. */
  startRate: number;
  /** A rate holds while the 99th percentile is at most this, in milliseconds. */
  p99MsMax: number;
  /** Length of a step near the knee; steps on the way to the knee take half of it. */
  stepSeconds: number;
  /** No step begins that would end later than this, in milliseconds of `nowMs`. */
  budgetMs: number;
  nowMs(): number;
  /** Each measured rate, and whether it held. */
  onRate?(rate: number, holds: boolean): void;
}

export interface Knee {
  /** The highest rate that held, in orders a second; 0 when none did. */
  rate: number;
  /** The lowest rate above it that did not hold; `null` when none was found. */
  failsAt: number | null;
  /** Whether the two are as close as intended; `false` when the time was up before. */
  complete: boolean;
  /** Why the generator, and not the gateway, did not hold `failsAt`; absent when the gateway did not. */
  bottleneck?: string;
}

/** Share of the offered orders that must be accepted in the time of the step. */
const ACCEPTED_SHARE = 0.98;
const GROWTH = 2;
/** `failsAt` is at most this many times the rate that holds. */
const PRECISION = 1.025;
/** Below this many orders a second there is nothing to measure. */
const RATE_MIN = 1;
/** A pause of the machine can spoil one step: a rate that fails is measured again. */
const TRIES = 2;

/** A step without an accepted order proves nothing, and does not hold. */
export function holds({ offeredPerSecond, acceptedPerSecond, latency }: RateFigures, p99MsMax: number): boolean {
  return acceptedPerSecond > 0 && acceptedPerSecond >= ACCEPTED_SHARE * offeredPerSecond && latency.p99Ms <= p99MsMax;
}

class TimeIsUp extends Error {}

/**
 * Doubles the rate until a rate does not hold, then halves the distance (of the logarithms). At the end both bounds must stand: the lower one in a
 * whole step, the upper one in a second visit, since two pauses of the machine may have met the first. Beyond a bound that was wrong
 * the search starts again.
 */
export async function findKnee(options: KneeOptions): Promise<Knee> {
  const search = new Search(options);
  let complete = true;
  try {
    await search.run();
  } catch (error) {
    if (!(error instanceof TimeIsUp)) throw error;
    complete = false;
  }
  const { low, high, bottleneck } = search;
  return {
    rate: low,
    failsAt: Number.isFinite(high) ? high : null,
    complete,
    ...(bottleneck === undefined ? {} : { bottleneck }),
  };
}

class Search {
  /** The highest rate that held. */
  low = 0;
  /** The lowest rate that did not hold. */
  high = Number.POSITIVE_INFINITY;
  /** Of the last measurement of `high`. */
  bottleneck: string | undefined;
  readonly #options: KneeOptions;
  readonly #startedAt: number;
  /** Rates that a whole step has measured. */
  readonly #whole = new Set<number>();
  /** Rates that were measured in a second visit. */
  readonly #confirmed = new Set<number>();
  /** How far away the next rate is, while one bound is missing. */
  #reach = GROWTH;

  constructor(options: KneeOptions) {
    this.#options = options;
    this.#startedAt = options.nowMs();
  }

  async run(): Promise<void> {
    const { startRate, stepSeconds } = this.#options;
    await this.#measure(startRate, stepSeconds / 2);
    for (;;) {
      const { low, high } = this;
      if (low === 0 || high === Number.POSITIVE_INFINITY) {
        const rate = low === 0 ? high / this.#reach : low * this.#reach;
        if (rate < RATE_MIN) return;
        this.#reach = Math.min(GROWTH, this.#reach ** 2);
        await this.#measure(rate, stepSeconds / 2);
      } else if (high / low > PRECISION) await this.#measure(Math.sqrt(low * high), stepSeconds);
      else if (!this.#whole.has(low)) await this.#again(low);
      else if (!this.#confirmed.has(high)) await this.#again(high);
      else return;
    }
  }

  /** Measures a bound again. Where it was wrong, the search goes on beyond it, first in small steps. */
  async #again(rate: number): Promise<void> {
    const { low, high } = this;
    if (rate === high) this.#confirmed.add(rate);
    await this.#measure(rate, this.#options.stepSeconds);
    if (this.high === low) this.low = 0;
    else if (this.low === high) this.high = Number.POSITIVE_INFINITY;
    else return;
    this.#reach = PRECISION ** 4;
  }

  async #measure(rate: number, seconds: number): Promise<void> {
    const { measure, p99MsMax, stepSeconds, onRate } = this.#options;
    let figures: RateFigures | undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      if (this.#options.nowMs() - this.#startedAt + seconds * 1_000 > this.#options.budgetMs) {
        // One failure without the second look is the better guess.
        if (figures !== undefined) this.#failed(rate, figures);
        throw new TimeIsUp();
      }
      figures = await measure(rate, seconds);
      const held = holds(figures, p99MsMax);
      onRate?.(rate, held);
      if (seconds === stepSeconds) this.#whole.add(rate);
      if (!held) continue;
      this.low = rate;
      return;
    }
    if (figures !== undefined) this.#failed(rate, figures);
  }

  #failed(rate: number, { bottleneck }: RateFigures): void {
    this.high = rate;
    this.bottleneck = bottleneck;
  }
}
