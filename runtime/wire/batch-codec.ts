import { type FetchedRecord, findPackedHeader, type PackedHeaders, readPackedHeaders } from '../../kafka/index.ts';

/*
 * A batch crosses from the main thread to a slot's thread as one transferred ArrayBuffer, so its bytes are never copied again.
 * Layout, columns first so that they are read through typed arrays:
 *
 *   Float64 count | Float64 offsets[count] | Float64 timestamps[count] | Int32 lengths[3 * count] | payload
 *
 * `lengths` holds key, value and headers of each record, with -1 for a null key or value. The payload is each record's key, value and
 * headers in turn. Headers are in Kafka's own form, passed on as they were fetched where the client has them so, and decoded when a caller
 * asks for them; a record without headers has none of these bytes.
 */

const COUNT_BYTES = 8;
const ROW_BYTES = 8 + 8 + 12;
const NULL_LENGTH = -1;

/** @returns the buffer to transfer, and the number of bytes of keys, values and headers in it */
export function packBatch(records: readonly FetchedRecord[]): { buffer: ArrayBuffer; bytes: number } {
  const count = records.length;
  const columnBytes = COUNT_BYTES + ROW_BYTES * count;
  const allHeaders = new Array<PackedHeaders>(count);
  let size = columnBytes;
  for (let i = 0; i < count; i++) {
    const record = records[i] as FetchedRecord;
    const headers = record.packedHeaders ?? packHeaders(record.headers);
    allHeaders[i] = headers;
    size += (record.key?.length ?? 0) + (record.value?.length ?? 0) + packedLength(headers);
  }
  const buffer = new ArrayBuffer(size);
  new Float64Array(buffer, 0, 1)[0] = count;
  const { offsets, timestamps, lengths } = columns(buffer, count);
  const target = Buffer.from(buffer);
  let at = columnBytes;
  for (let i = 0; i < count; i++) {
    const { key, value, offset, timestamp } = records[i] as FetchedRecord;
    const headers = allHeaders[i] as PackedHeaders;
    const headersLength = packedLength(headers);
    offsets[i] = offset;
    timestamps[i] = timestamp;
    lengths[3 * i] = key === null ? NULL_LENGTH : key.length;
    lengths[3 * i + 1] = value === null ? NULL_LENGTH : value.length;
    lengths[3 * i + 2] = headersLength;
    if (key !== null) at += key.copy(target, at);
    if (value !== null) at += value.copy(target, at);
    if (headersLength > 0) at += headers.buffer.copy(target, at, headers.start);
  }
  return { buffer, bytes: size - columnBytes };
}

/** How many records a packed batch has. */
export function packedCount(buffer: ArrayBuffer): number {
  return new Float64Array(buffer, 0, 1)[0] as number;
}

/** Without headers there is one byte, the count 0, which is left out. */
function packedLength({ buffer, start }: PackedHeaders): number {
  const length = buffer.length - start;
  return length > 1 ? length : 0;
}

function packHeaders(headers: Readonly<Record<string, Buffer>>): PackedHeaders {
  const entries = Object.entries(headers);
  const buffer = Buffer.concat([
    varint(entries.length),
    ...entries.flatMap(([name, value]) => [
      varint(Buffer.byteLength(name)),
      Buffer.from(name),
      varint(value.length),
      value,
    ]),
  ]);
  return { buffer, start: 0 };
}

/** A count or length as Kafka writes it: zigzag, seven bits a byte. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value * 2;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  bytes.push(left);
  return Buffer.from(bytes);
}

function columns(buffer: ArrayBuffer, count: number) {
  return {
    offsets: new Float64Array(buffer, COUNT_BYTES, count),
    timestamps: new Float64Array(buffer, COUNT_BYTES + 8 * count, count),
    lengths: new Int32Array(buffer, COUNT_BYTES + 16 * count, 3 * count),
  };
}

/** A packed batch as the slot's thread reads it. A field is decoded when a caller asks for it. */
export class PackedBatch {
  /** A batch of no records. */
  static readonly empty = new PackedBatch(packBatch([]).buffer);
  readonly count: number;
  readonly bytes: Buffer;
  readonly offsets: Float64Array;
  readonly timestamps: Float64Array;
  readonly lengths: Int32Array;
  /** Where the payload of the first record starts. */
  readonly payloadStart: number;

  constructor(buffer: ArrayBuffer) {
    this.count = packedCount(buffer);
    const { offsets, timestamps, lengths } = columns(buffer, this.count);
    this.offsets = offsets;
    this.timestamps = timestamps;
    this.lengths = lengths;
    this.bytes = Buffer.from(buffer);
    this.payloadStart = COUNT_BYTES + ROW_BYTES * this.count;
  }

  /** Bytes of the record at `index`: the distance from its payload to the next one's. */
  weight(index: number): number {
    const at = 3 * index;
    const { lengths } = this;
    return Math.max(lengths[at] as number, 0) + Math.max(lengths[at + 1] as number, 0) + (lengths[at + 2] as number);
  }

  key(index: number, start: number): Buffer | null {
    const length = this.lengths[3 * index] as number;
    return length === NULL_LENGTH ? null : this.bytes.subarray(start, start + length);
  }

  keyText(index: number, start: number): string | null {
    const length = this.lengths[3 * index] as number;
    return length === NULL_LENGTH ? null : this.bytes.toString('utf8', start, start + length);
  }

  value(index: number, start: number): Buffer | null {
    const length = this.lengths[3 * index + 1] as number;
    if (length === NULL_LENGTH) return null;
    const from = start + Math.max(this.lengths[3 * index] as number, 0);
    return this.bytes.subarray(from, from + length);
  }

  headers(index: number, start: number): Record<string, Buffer> {
    // Without a prototype, like decoded headers: a header may be called __proto__.
    if (this.#headersLength(index) === 0) return Object.create(null);
    return readPackedHeaders(this.bytes, this.#headersStart(index, start));
  }

  /** One header as text, without decoding the others. */
  header(index: number, start: number, name: string): string | undefined {
    if (this.#headersLength(index) === 0) return undefined;
    return findPackedHeader(this.bytes, this.#headersStart(index, start), name);
  }

  #headersLength(index: number): number {
    return this.lengths[3 * index + 2] as number;
  }

  #headersStart(index: number, start: number): number {
    const { lengths } = this;
    return start + Math.max(lengths[3 * index] as number, 0) + Math.max(lengths[3 * index + 1] as number, 0);
  }

  /** The one record at `index` as a batch of its own, so that a message that waits long doesn't hold a whole fetch in memory. */
  detach(index: number, start: number): PackedBatch {
    const end = start + this.weight(index);
    const buffer = new ArrayBuffer(COUNT_BYTES + ROW_BYTES + (end - start));
    new Float64Array(buffer, 0, 1)[0] = 1;
    const own = columns(buffer, 1);
    own.offsets[0] = this.offsets[index] as number;
    own.timestamps[0] = this.timestamps[index] as number;
    own.lengths.set(this.lengths.subarray(3 * index, 3 * index + 3));
    this.bytes.copy(Buffer.from(buffer), COUNT_BYTES + ROW_BYTES, start, end);
    return new PackedBatch(buffer);
  }
}
