// The rate limits of stores and devices. Created by authenticator.ts; the reception and the status reader take from them.

import type { Config } from '../../contracts/config/config.ts';
import { Generations } from './generations.ts';

/** A rate limit: an order takes a token from each bucket that it belongs to. */
export interface RateLimit {
  /** Takes one order. @returns 0, or the milliseconds until it could be taken; then nothing is taken. `now` is in milliseconds. */
  take(now: number): number;
}

/** A token bucket: `perSecond` orders in the long run, and up to `burst` at once. */
export class TokenBucket implements RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = Math.max(1, burst);
    this.#tokens = this.#burst;
    this.#filledAt = now;
  }

  take(now: number): number {
    const waitMs = this.wait(now);
    if (waitMs === 0) this.#tokens--;
    return waitMs;
  }

  /** Milliseconds until an order could be taken. */
  wait(now: number): number {
    // When the clock was set back, the bucket stays as it is.
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perMs;
  }
}

/** Several buckets as one: a token is taken from all of them, or from none. */
class Buckets implements RateLimit {
  readonly #buckets: readonly TokenBucket[];

  constructor(buckets: readonly TokenBucket[]) {
    this.#buckets = buckets;
  }

  take(now: number): number {
    let waitMs = 0;
    for (const bucket of this.#buckets) waitMs = Math.max(waitMs, bucket.wait(now));
    if (waitMs === 0) for (const bucket of this.#buckets) bucket.take(now);
    return waitMs;
  }
}

/** Orders of a store, orders of a device, status questions of a store. */
type Kind = 'store' | 'device' | 'reads';

/** Buckets that are remembered; a forgotten bucket starts again, and full. */
const BUCKETS_MAX = 200_000;
const BUCKET_AGE_MS = 3_600_000;

/**
 * The rates of stores and devices. An identity holds its limit, so the hot path looks nothing up; all tokens of a store share its bucket.
 */
export class RateLimits {
  readonly #rates: Record<Kind, number>;
  readonly #burstS: number;
  readonly #buckets: Generations<TokenBucket>;

  constructor(storePerSecond: number, devicePerSecond: number, burstMs: number, now: number, readsPerSecond = 0) {
    this.#rates = { store: storePerSecond, device: devicePerSecond, reads: readsPerSecond };
    this.#burstS = burstMs / 1_000;
    this.#buckets = new Generations(BUCKETS_MAX, BUCKET_AGE_MS, now);
  }

  static from(config: Config, now: number): RateLimits {
    const { ORDERMESH_STORE_ORDERS_PER_SECOND: store, ORDERMESH_DEVICE_ORDERS_PER_SECOND: device } = config;
    return new RateLimits(store, device, config.ORDERMESH_RATE_BURST, now, config.ORDERMESH_STORE_READS_PER_SECOND);
  }

  /** The limits of an identity; `undefined` where no rate is set. */
  limitsOf(store: string, device: string, now: number): Record<'limit' | 'reads', RateLimit | undefined> {
    return { limit: this.of(store, device, now), reads: this.#bucket('reads', store, now)[0] };
  }

  /** The limit for orders; `undefined` where no rate is set. */
  of(store: string, device: string, now: number): RateLimit | undefined {
    const buckets = [...this.#bucket('store', store, now), ...this.#bucket('device', device, now)];
    return buckets.length < 2 ? buckets[0] : new Buckets(buckets);
  }

  #bucket(kind: Kind, name: string, now: number): TokenBucket[] {
    const rate = this.#rates[kind];
    if (rate === 0) return [];
    const key = `${kind}:${name}`;
    const bucket = this.#buckets.get(key) ?? new TokenBucket(rate, rate * this.#burstS, now);
    // Set again even if it was there: a store or device that is still active stays in the younger generation.
    this.#buckets.set(key, bucket, now);
    return [bucket];
  }
}
