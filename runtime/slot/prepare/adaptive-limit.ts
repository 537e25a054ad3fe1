// How many calls of a third party may be in flight. Used by preparation.ts.

/** At most this many at first. While the third party keeps its pace, the limit doubles with each window. */
const FIRST = 64;
const LEAST = 2;
/** A window ends after this time and this many answers; its mean latency then counts. */
const WINDOW_MS = 100;
const WINDOW_ANSWERS_MIN = 20;
/** The usual latency follows the windows' means: slowly upwards, so that a queue does not become usual, and quickly downwards. */
const SLOWER_SHARE = 0.005;
const FASTER_SHARE = 0.1;
/** A window that is slower than the usual latency by more than this factor shows a queue at the third party, or that it became slower. */
const TOLERANCE = 2;
/** As much is no sign of a queue: the own event loop may have been busy. */
const SLACK_MS = 50;
/** No window lowers the limit by more than half. */
const GRADIENT_MIN = 0.5;
/** Once the limit has fallen to this share, the latency must have fallen too; else the calls were not the cause. */
const FALLEN = 0.5;
const LATENCY_FOLLOWS = 0.75;
/** With a larger share of outages among its answers, a window lowers the limit. */
const OUTAGES_MAX = 0.05;
const AFTER_OUTAGES = 0.75;
/** Only a limit that is used to this share may grow. */
const USED_MIN = 0.8;

/**
 * A limit that follows the third party, between 2 and `max`. It falls with the ratio of usual to present latency, as `Gradient2Limit` of
 * Netflix's concurrency-limits does (https://github.com/Netflix/concurrency-limits, Apache-2.0), and by a quarter when calls meet outages
 * or "too many requests" (additive increase, multiplicative decrease). It grows by its square root, and doubles until it first falls, as a
 * TCP connection starts slowly.
 *
 * Fewer calls shorten a queue, but they don't make a slow third party faster. So a limit that has fallen by half without a fall of the
 * latency goes back to where it was, and the present latency is the usual one from then on.
 */
export class AdaptiveLimit {
  readonly #max: number;
  #limit: number;
  #starting = true;
  #usualMs: number | undefined;
  /** The limit and the latency before the limit began to fall because of the latency. */
  #before: { limit: number; meanMs: number } | undefined;
  /** Calls that began before this instant were made under another limit, and say nothing about the present one. */
  #since = Number.NEGATIVE_INFINITY;
  #windowBegan: number | undefined;
  #answers = 0;
  #outages = 0;
  #sumMs = 0;
  #inFlightMax = 0;

  constructor(max: number) {
    this.#max = max;
    this.#limit = Math.min(FIRST, max);
  }

  get current(): number {
    return Math.floor(this.#limit);
  }

  /** @param inFlight with the call that begins now */
  began(inFlight: number): void {
    if (inFlight > this.#inFlightMax) this.#inFlightMax = inFlight;
  }

  /**
   * A call has ended.
   * @param beganAt milliseconds since 1970, as `now`
   * @param isOutage the third party gave no answer, or asked for fewer calls. Any other error is an answer.
   */
  ended(now: number, beganAt: number, isOutage: boolean): void {
    // The clock was set back.
    if (now < this.#since) this.#since = Number.NEGATIVE_INFINITY;
    if (beganAt < this.#since) return;
    this.#windowBegan ??= now;
    if (now < this.#windowBegan) this.#windowBegan = now;
    if (isOutage) this.#outages++;
    else {
      this.#answers++;
      this.#sumMs += Math.max(0, now - beganAt);
    }
    const enough = Math.min(WINDOW_ANSWERS_MIN, 2 * this.current);
    if (now - this.#windowBegan < WINDOW_MS || this.#answers + this.#outages < enough) return;
    const before = this.current;
    this.#adapt();
    if (this.current !== before) this.#since = now;
    this.#windowBegan = undefined;
    this.#answers = this.#outages = this.#sumMs = this.#inFlightMax = 0;
  }

  #adapt(): void {
    const isFailing = this.#outages > (this.#answers + this.#outages) * OUTAGES_MAX;
    const meanMs = this.#answers === 0 ? undefined : this.#sumMs / this.#answers;
    const gradient = meanMs === undefined ? 1 : this.#gradient(meanMs);
    if (isFailing) {
      this.#before = undefined;
      this.#fall(Math.min(gradient, AFTER_OUTAGES));
    } else if (gradient < 1 && meanMs !== undefined) this.#slower(gradient, meanMs);
    else {
      this.#before = undefined;
      if (this.#inFlightMax >= this.#limit * USED_MIN) this.#grow();
    }
  }

  /** 1 while the latency is the usual one; less when calls queue up at the third party. */
  #gradient(meanMs: number): number {
    const usualMs = this.#usualMs ?? meanMs;
    this.#usualMs = usualMs + (meanMs - usualMs) * (meanMs > usualMs ? SLOWER_SHARE : FASTER_SHARE);
    return meanMs === 0 ? 1 : Math.min(1, Math.max(GRADIENT_MIN, (TOLERANCE * usualMs + SLACK_MS) / meanMs));
  }

  #slower(gradient: number, meanMs: number): void {
    this.#before ??= { limit: this.#limit, meanMs };
    const { limit, meanMs: earlierMs } = this.#before;
    const isHalf = this.#limit <= Math.max(LEAST, limit * FALLEN);
    if (isHalf) this.#before = undefined;
    if (isHalf && meanMs >= earlierMs * LATENCY_FOLLOWS) {
      this.#limit = limit;
      this.#usualMs = meanMs;
    } else this.#fall(gradient);
  }

  #fall(factor: number): void {
    this.#starting = false;
    this.#limit = Math.max(Math.min(LEAST, this.#max), this.#limit * factor);
  }

  #grow(): void {
    this.#limit = Math.min(this.#max, this.#limit + (this.#starting ? this.#limit : Math.sqrt(this.#limit)));
  }
}
