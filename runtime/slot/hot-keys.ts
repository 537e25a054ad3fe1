// Finds the most frequent keys of a slot, for the debug view.

import type { PackedBatch } from '../wire/batch-codec.ts';
import type { HotKey } from '../wire/slot-view.ts';

interface Counter {
  count: number;
  /** By how much `count` may be too high. */
  error: number;
}

/**
 * The space-saving sketch of Metwally, Agrawal and El Abbadi (2005): the most frequent of any number of keys with `capacity` counters. A
 * key without a counter takes over the smallest one, and its count as its possible error; every key more frequent than
 * total / capacity has a counter. Counts are halved at intervals, so that the sketch describes the recent past.
 */
export class SpaceSaving {
  readonly #capacity: number;
  readonly #halveAt: number;
  readonly #counters = new Map<string, Counter>();
  #total = 0;
  /** A lower bound of all counts. */
  #floor = 0;

  /** @param halveAt once this many have been counted, all counts are halved. */
  constructor(capacity: number, halveAt: number) {
    this.#capacity = capacity;
    this.#halveAt = halveAt;
  }

  add(key: string): void {
    this.#total++;
    const counter = this.#counters.get(key);
    if (counter !== undefined) counter.count++;
    else if (this.#counters.size < this.#capacity) {
      this.#counters.set(key, { count: 1, error: 0 });
      this.#floor = Math.min(this.#floor, 1);
    } else this.#replaceSmallest(key);
    if (this.#total >= this.#halveAt) this.#halve();
  }

  /** The most frequent keys. A key that may have come only once is left out. */
  top(keys: number): HotKey[] {
    return [...this.#counters]
      .filter(([, { count, error }]) => count - error > 1)
      .sort(([, a], [, b]) => b.count - a.count)
      .slice(0, keys)
      .map(([key, { count, error }]) => ({ key, share: count / this.#total, error: error / this.#total }));
  }

  /** A counter that is taken over goes to the end of the map, so the search from the front passes only the few frequent keys. */
  #replaceSmallest(key: string): void {
    let smallestKey = '';
    let smallest = Number.POSITIVE_INFINITY;
    for (const [candidate, { count }] of this.#counters) {
      if (count >= smallest) continue;
      smallestKey = candidate;
      smallest = count;
      if (count <= this.#floor) break;
    }
    this.#floor = smallest;
    this.#counters.delete(smallestKey);
    this.#counters.set(key, { count: smallest + 1, error: smallest });
  }

  #halve(): void {
    this.#total /= 2;
    this.#floor /= 2;
    for (const [key, counter] of this.#counters) {
      counter.count /= 2;
      counter.error /= 2;
      if (counter.count < 1) this.#counters.delete(key);
    }
  }
}

/** A prime, so that the samples don't fall into step with a regular pattern of the traffic. */
const SAMPLE_EVERY = 61;
const COUNTERS = 512;
const HALVE_AT_SAMPLES = 10_000;

/** Samples the keys of one slot: one message in 61 goes into a sketch. The slot's thread calls `take` with each batch. */
export class HotKeySampler {
  readonly #sketch = new SpaceSaving(COUNTERS, HALVE_AT_SAMPLES);
  /** Messages until the next sample. */
  #skip = 0;

  take(batch: PackedBatch): void {
    if (this.#skip >= batch.count) {
      this.#skip -= batch.count;
      return;
    }
    let start = batch.payloadStart;
    for (let index = 0; index < batch.count; index++) {
      if (this.#skip-- === 0) {
        this.#skip = SAMPLE_EVERY - 1;
        const key = batch.keyText(index, start);
        // A record without a key shares its order with no other record.
        if (key !== null) this.#sketch.add(key);
      }
      start += batch.weight(index);
    }
  }

  top(keys: number): HotKey[] {
    return this.#sketch.top(keys);
  }
}
