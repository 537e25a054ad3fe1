/** A message by its place in the topic. */
export interface Place {
  partition: number;
  offset: number;
}

/** What the pulse shows of a message. */
export interface Shown extends Place {
  /**
   * The beginning of the key, for a log line. Absent for an actor that only decodes, because showing the key would cost more than the work
   * itself.
   */
  key?: string;
}

/*
 * Float64 beats | rows: Float64 state, partition, offset, key length; Uint16 key[40]
 *
 * Row 0 is for `enter`, the others are for `begin`.
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
 * What a thread shows of itself in shared memory, so that the main thread can read it while the thread computes and after the thread died:
 * a counter that its event loop raises, and the messages that the actor works on.
 */
export class Pulse {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Float64Array;
  readonly #units: Uint16Array;
  readonly #free: number[] = [];

  /** @param messagesMax most messages in flight at once; of more, and of more than 5,000, only the first ones are shown */
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

  /** The actor computes on this message until `leave`. */
  enter({ partition, offset }: Place, key = ''): void {
    this.#show(HEADER, partition, offset, key);
  }

  leave(): void {
    this.#cells[HEADER + STATE] = FREE;
  }

  /**
   * The actor computes on these messages.
   * @returns their rows, for `wait` and `end`
   */
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

  /** The actor waits for something, and the thread works on other messages meanwhile. */
  wait(rows: readonly number[]): void {
    for (const row of rows) this.#cells[row + STATE] = WAITING;
  }

  /** The actor has finished with these messages. */
  end(rows: readonly number[]): void {
    for (const row of rows) {
      this.#cells[row + STATE] = FREE;
      this.#free.push(row);
    }
  }

  /**
   * The messages that the actor computes on. If there are none, the messages whose turn or preparation waits: one of them may have
   * continued.
   */
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
