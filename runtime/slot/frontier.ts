import assert from 'node:assert/strict';

const INITIAL_CAPACITY = 1_024;

/*
 * Kafka keeps one number per partition and group: the committed offset. It says "everything below is done". After a crash the next owner
 * starts at this number and never sees the messages below it again.
 *
 * Inside a slot messages finish in any order, because only messages of the same key wait for each other. So several numbers could be
 * committed, and only one of them is right:
 *
 *   offset     10 (key A)    11 (key B)    14 (key C)    15 (key A)         12 and 13 do not exist: gaps are normal
 *   state      prepare       finished      finished      queued             (compaction, transaction markers)
 *
 *   16, after the newest message that was taken in:   a crash now loses messages 10 and 15
 *   15, after the highest finished message:           a crash now loses message 10
 *   12, two further, because two are finished:        a crash now loses message 10
 *   10, the first message that is not finished:       a crash now repeats 11 and 14, which unique keys in the tables make harmless
 *
 * The frontier is the last of these. Its invariant: every message below `position` is finished. Some messages above it are finished
 * as well; that is the price, a repetition after a crash instead of a loss.
 *
 * The data structure. `append` gives each message a sequence number: 0, 1, 2, … without gaps, whatever the offsets are. The rings are
 * indexed by sequence number modulo their size:
 *
 *   #head = the first unfinished message,  #tail = the next sequence number,  0 <= #tail - #head <= size of the ring
 *
 * `finish` sets a flag. Only when it is the flag of #head, #head moves on over all flags that are set. Each message is passed once, so
 * append, finish and position take constant time on average, and none of them allocates. When the ring is full it doubles. The ring can't
 * grow without limit: the host pauses a partition whose newest message is too far ahead of its frontier (`windowMax`).
 *
 * If nothing is unfinished, `position` is the last offset + 1. It is never the offset "up to which we fetched": offsets 12 and 13 are
 * passed because 14 has arrived, not because 11 is finished.
 *
 * If you change this file:
 * - A message may be finished once, when its effects, its outputs or its dead letter are durable, and not a moment before. Finishing
 *   before the broker has acknowledged the outputs loses them in a crash.
 * - A second `finish` of a message is a bug, and the assertion says so at once. Without it, the late flag could belong to the message that has the same
 *   place in the ring by now, and a message that is still in work would be committed.
 * - The size must stay a power of two, and growing must move each message to its new place: `sequence & mask` changes with the mask.
 * The simulation's mutant `commit-highest-seen` commits the wrong number on purpose.
 */

/**
 * The frontier of one partition: `position` is the offset of the first message that is not finished. It is the only offset that may be
 * committed. Each mailbox has one.
 */
export class Frontier {
  #offsets = new Float64Array(INITIAL_CAPACITY);
  #finished = new Uint8Array(INITIAL_CAPACITY);
  /** Sequence numbers: of the first unfinished message, and of the next message to be appended. */
  #head = 0;
  #tail = 0;
  #last = -1;

  /** Takes in the next message. @returns its sequence number, for `finish`. */
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

  /** The offset to commit: all messages below it are finished. Undefined before the first message. */
  get position(): number | undefined {
    if (this.#head < this.#tail) return this.#offsets[this.#head & (this.#offsets.length - 1)];
    return this.#last === -1 ? undefined : this.#last + 1;
  }

  /** How many messages there are from the first unfinished one to the newest: a crash would deliver these again. */
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
