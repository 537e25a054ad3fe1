/** A queue with constant-time `shift`. `Array.shift` moves all remaining items. */
export class ReadyQueue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

/**
 * Two lanes: what was tried before comes before all that was not. A message that is retried holds its partition's frontier, so it does not
 * queue up behind the whole backlog again.
 */
export class RetriedFirst<T> {
  readonly #retried = new ReadyQueue<T>();
  readonly #fresh = new ReadyQueue<T>();

  get length(): number {
    return this.#retried.length + this.#fresh.length;
  }

  push(item: T, wasTried = false): void {
    (wasTried ? this.#retried : this.#fresh).push(item);
  }

  shift(): T | undefined {
    return this.#retried.shift() ?? this.#fresh.shift();
  }
}
