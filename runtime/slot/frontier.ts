import assert from 'node:assert/strict';

const INITIAL_CAPACITY = 1_024;

/**
 * The frontier of one partition: messages finish in any order, and `position` is the offset of the first one that hasn't. That is the
 * only offset that may be committed. Offsets ascend and may have gaps (compaction, transaction markers).
 *
 * A ring of offsets and flags: append, finish and position are constant time, with no allocation per message.
 */
export class Frontier {
  #offsets = new Float64Array(INITIAL_CAPACITY);
  #finished = new Uint8Array(INITIAL_CAPACITY);
  /** Sequence numbers of the first unfinished message and of the next one to be appended. */
  #head = 0;
  #tail = 0;
  #last = -1;

  /** Takes the next message in and gives the sequence number to finish it by. */
  append(offset: number): number {
    if (offset <= this.#last) assert.fail(`offset ${offset} after ${this.#last}: a partition is read in order`);
    if (this.#tail - this.#head === this.#offsets.length) this.#grow();
    const slot = this.#tail & (this.#offsets.length - 1);
    this.#offsets[slot] = offset;
    this.#finished[slot] = 0;
    this.#last = offset;
    return this.#tail++;
  }

  finish(sequence: number): void {
    const mask = this.#offsets.length - 1;
    if (sequence < this.#head || sequence >= this.#tail || this.#finished[sequence & mask] === 1)
      assert.fail(`message ${sequence} finished twice or never begun`);
    this.#finished[sequence & mask] = 1;
    if (sequence !== this.#head) return;
    while (this.#head < this.#tail && this.#finished[this.#head & mask] === 1) this.#head++;
  }

  /** The offset to commit: all below it are finished. Undefined before the first message. */
  get position(): number | undefined {
    if (this.#head < this.#tail) return this.#offsets[this.#head & (this.#offsets.length - 1)];
    return this.#last === -1 ? undefined : this.#last + 1;
  }

  /** Messages from the first unfinished one to the newest: what would be delivered again after a crash. */
  get window(): number {
    return this.#tail - this.#head;
  }

  #grow(): void {
    const capacity = this.#offsets.length * 2;
    const offsets = new Float64Array(capacity);
    const finished = new Uint8Array(capacity);
    const mask = this.#offsets.length - 1;
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      offsets[sequence & (capacity - 1)] = this.#offsets[sequence & mask] as number;
      finished[sequence & (capacity - 1)] = this.#finished[sequence & mask] as number;
    }
    this.#offsets = offsets;
    this.#finished = finished;
  }
}
