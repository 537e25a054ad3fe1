/** A seeded source of randomness: the same seed gives the same traffic on every machine. Not for secrets. */
export interface Random {
  /** The seed it started from, to be printed so that a run can be repeated. */
  readonly seed: number;
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in 0 … below - 1. */
  integer(below: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** 32 uniform bits. */
  bits(): number;
}

/** A seed for a run that was given none. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

/** xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it), its state filled from the seed by splitmix32. */
export function createRandom(seed: number): Random {
  let mixed = seed >>> 0;
  const split = () => {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    let z = mixed;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [split(), split(), split(), split()];
  const bits = () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
  const next = () => bits() / 2 ** 32;
  return {
    seed,
    bits,
    next,
    integer: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
  };
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** One of `values`, each as likely as the others. */
export function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[random.integer(values.length)];
  if (value === undefined) throw new RangeError('nothing to pick from');
  return value;
}

/** A draw from weighted values; the sums are built once, a draw is a binary search. */
export function weighted<T>(entries: readonly (readonly [value: T, weight: number])[]): (random: Random) => T {
  const sums: number[] = [];
  let sum = 0;
  for (const [, weight] of entries) {
    sum += weight;
    sums.push(sum);
  }
  if (!(sum > 0)) throw new RangeError('the weights add up to nothing');
  return (random) => {
    const at = random.next() * sum;
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return (entries[low] as readonly [T, number])[0];
  };
}

/** Zipf's law: the n-th most popular has weight 1 / n^exponent. */
export function zipf<T>(values: readonly T[], exponent: number): (random: Random) => T {
  return weighted(values.map((value, index) => [value, 1 / (index + 1) ** exponent]));
}

/** Waiting time until the next arrival of a Poisson process, in the unit of 1 / rate. */
export function exponential(random: Random, rate: number): number {
  return -Math.log(1 - random.next()) / rate;
}

/** UUIDv7 (RFC 9562) of that time whose random bits come from the seed. */
export function uuidV7(random: Random, atMs: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const time = hex(Math.trunc(atMs), 12);
  const [a, b, c] = [random.bits(), random.bits(), random.bits()];
  const variant = 0x8000 | (a & 0x3fff);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(a >>> 20, 3)}-${hex(variant, 4)}-${hex(b, 8)}${hex(c >>> 16, 4)}`;
}
