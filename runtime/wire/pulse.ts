/** A message by its place in the topic. */
export interface Place {
  partition: number;
  offset: number;
}

/** What is shown of a message. */
export interface Shown extends Place {
  /** Its beginning, for a log line. Absent where showing it would cost more than the work itself: for an actor that only decodes. */
  key?: string;
}

/*
 * Float64 beats | rows: Float64 state, partition, offset, key length; Uint16 key[40]
 *
 * Row 0 belongs to `enter`, the others to whoever begins.
 */
const HEADER = 1;
const BEATS = 0;
const STATE = 0;
const PARTITION = 1;
const OFFSET = 2;
const KEY_LENGTH = 3;
const KEY = 4;
const KEY_UNITS = 40;
const UNITS_PER_CELL = 4;
const ROW = KEY + KEY_UNITS / UNITS_PER_CELL;
const ROWS_MAX = 5_000;

const FREE = 0;
const COMPUTING = 1;
const WAITING = 2;

/**
 * What a thread shows of itself in shared memory, so that the main thread can read it while the thread computes and after it died: a counter
 * that its event loop raises, and the messages that the actor is at work on.
 */
export class Pulse {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Float64Array;
  readonly #units: Uint16Array;
  readonly #free: number[] = [];

  /** @param messagesMax most messages in flight at once; more, and more than 5,000, are not shown */
  static create(messagesMax: number): Pulse {
    const rows = 1 + Math.min(messagesMax, ROWS_MAX);
    return new Pulse(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * (HEADER + ROW * rows)));
  }

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Float64Array(memory);
    this.#units = new Uint16Array(memory);
    for (let row = this.#cells.length - ROW; row > HEADER; row -= ROW) this.#free.push(row);
  }

  get beats(): number {
    return this.#cells[BEATS] ?? 0;
  }

  beat(): void {
    this.#cells[BEATS] = this.beats + 1;
  }

  /** The actor computes on this one message until `leave`. */
  enter({ partition, offset }: Place, key = ''): void {
    this.#show(HEADER, partition, offset, key);
  }

  leave(): void {
    this.#cells[HEADER + STATE] = FREE;
  }

  /** The actor computes on these messages. @returns what `wait` and `end` take */
  begin(messages: readonly Required<Shown>[]): readonly number[] {
    const rows: number[] = [];
    for (const { partition, offset, key } of messages) {
      const row = this.#free.pop();
      if (row === undefined) break;
      this.#show(row, partition, offset, key);
      rows.push(row);
    }
    return rows;
  }

  /** The actor waits for something, and the thread is another message's meanwhile. */
  wait(rows: readonly number[]): void {
    for (const row of rows) this.#cells[row + STATE] = WAITING;
  }

  /** The actor is done with them. */
  end(rows: readonly number[]): void {
    for (const row of rows) {
      this.#cells[row + STATE] = FREE;
      this.#free.push(row);
    }
  }

  /** Those that the actor computes on; if it computes on none, those whose turn or preparation waits: one of them may have gone on. */
  get atWork(): Shown[] {
    const computing = this.#rows(COMPUTING);
    return computing.length > 0 ? computing : this.#rows(WAITING);
  }

  #rows(state: number): Shown[] {
    const cells = this.#cells;
    const shown: Shown[] = [];
    for (let row = HEADER; row < cells.length; row += ROW) {
      if (cells[row + STATE] !== state) continue;
      const key = this.#key(row);
      shown.push({
        partition: cells[row + PARTITION] ?? 0,
        offset: cells[row + OFFSET] ?? 0,
        ...(key === '' ? {} : { key }),
      });
    }
    return shown;
  }

  #show(row: number, partition: number, offset: number, key: string): void {
    const cells = this.#cells;
    cells[row + PARTITION] = partition;
    cells[row + OFFSET] = offset;
    cells[row + KEY_LENGTH] = key.length;
    const units = Math.min(key.length, KEY_UNITS);
    const start = (row + KEY) * UNITS_PER_CELL;
    for (let unit = 0; unit < units; unit++) this.#units[start + unit] = key.charCodeAt(unit);
    cells[row + STATE] = COMPUTING;
  }

  #key(row: number): string {
    const length = this.#cells[row + KEY_LENGTH] ?? 0;
    const start = (row + KEY) * UNITS_PER_CELL;
    const text = String.fromCharCode(...this.#units.subarray(start, start + Math.min(length, KEY_UNITS)));
    return length > KEY_UNITS ? `${text}…` : text;
  }
}
