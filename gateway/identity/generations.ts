/**
 * A bounded map that forgets its oldest entries in bulk: two generations, of which the older is dropped when the younger is full
 * or old enough. Dropping is one assignment, so neither the hot path nor the garbage collector pays per entry. An entry lives
 * for at least half of `entriesMax` further entries (and half of `ageMs`), and never longer than the whole.
 */
export class Generations<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #youngSince: number;
  readonly #generationMax: number;
  readonly #generationMs: number;

  constructor(entriesMax: number, ageMs: number, now: number) {
    this.#generationMax = Math.max(1, Math.floor(entriesMax / 2));
    this.#generationMs = ageMs / 2;
    this.#youngSince = now;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: V, now: number): void {
    this.expire(now);
    if (this.#young.size >= this.#generationMax) this.#turn(now);
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  /** Visits every entry, so it is for rare events only. */
  deleteWhere(isUnwanted: (value: V) => boolean): void {
    for (const generation of [this.#young, this.#old])
      for (const [key, value] of generation) if (isUnwanted(value)) generation.delete(key);
  }

  /** Forgets what is too old; `set` does it too, so this is for reading after a quiet time. */
  expire(now: number): void {
    const age = now - this.#youngSince;
    if (age < this.#generationMs) return;
    this.#turn(now);
    if (age >= 2 * this.#generationMs) this.#turn(now);
  }

  #turn(now: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSince = now;
  }
}
