/** A message by its place in the topic. */
export interface Place {
  partition: number;
  offset: number;
}

const HEADER = 2;
const BEATS = 0;
const COUNT = 1;

/**
 * What a thread shows of itself in shared memory, so that the main thread can read it while the thread computes and after it died: a counter
 * that its event loop raises, and the messages that the actor is computing on.
 */
export class Pulse {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Float64Array;

  /** @param messagesMax most messages under way at once; more are not shown */
  static create(messagesMax: number): Pulse {
    return new Pulse(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * (HEADER + 2 * messagesMax)));
  }

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Float64Array(memory);
  }

  get beats(): number {
    return this.#cells[BEATS] ?? 0;
  }

  beat(): void {
    this.#cells[BEATS] = this.beats + 1;
  }

  /** Before the actor computes on these messages. */
  enter(places: readonly Place[]): void {
    const cells = this.#cells;
    const count = Math.min(places.length, (cells.length - HEADER) / 2);
    for (let index = 0; index < count; index++) {
      const place = places[index] as Place;
      cells[HEADER + 2 * index] = place.partition;
      cells[HEADER + 2 * index + 1] = place.offset;
    }
    cells[COUNT] = count;
  }

  enterOne({ partition, offset }: Place): void {
    this.#cells[HEADER] = partition;
    this.#cells[HEADER + 1] = offset;
    this.#cells[COUNT] = 1;
  }

  /** The actor has returned, or waits for something. */
  leave(): void {
    this.#cells[COUNT] = 0;
  }

  get underWay(): Place[] {
    const cells = this.#cells;
    return Array.from({ length: cells[COUNT] ?? 0 }, (_, index) => ({
      partition: cells[HEADER + 2 * index] ?? 0,
      offset: cells[HEADER + 2 * index + 1] ?? 0,
    }));
  }
}
