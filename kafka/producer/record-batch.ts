// Encodes records as Kafka's record batches. Called by platformatic-transport.ts; on the hot path.

import { crc32c } from '@node-rs/crc32';
import type { CommonHeaders, OutgoingRecord } from './producer.ts';

/** Offsets of the fields in a record batch, magic 2. Source: Kafka's DefaultRecordBatch. */
const LENGTH_AT = 8;
const LEADER_EPOCH_AT = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const BASE_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const BASE_SEQUENCE_AT = 53;
const RECORD_COUNT_AT = 57;
const RECORDS_AT = 61;

/** Longest framing of a record, without key, value and headers: five varints and the attributes. */
const RECORD_FRAMING_MAX = 32;
const VARINT_BYTES_MAX = 5;
/** The values of a header with more values than this are not cached: they are ids or times. */
const REMEMBERED_VALUES_MAX = 64;
/** The caches are for names that our own code chose. Headers copied from other records must not make the caches grow without limit. */
const REMEMBERED_NAMES_MAX = 256;
/** Up to this length, the length is a varint of one byte. */
const ONE_BYTE_LENGTH_MAX = 63;
const INITIAL_BYTES = 1 << 20;

/** Makes a batch idempotent: for each producer id the broker appends each sequence number once. */
export interface BatchIdentity {
  producerId: bigint;
  producerEpoch: number;
  baseSequence: number;
}

export interface EncodedBatch {
  /** Valid until the encoder's next `reset`. */
  bytes: Buffer;
  /** How many of the records are in the batch. */
  count: number;
}

interface HeaderName {
  /** Length and bytes of the name, as they are in a record. */
  encoded: Buffer;
  /** Length and bytes of each value, by value; `undefined` after there were too many. */
  values: Map<string, Buffer> | undefined;
}

/** Common headers, as they are in a record: `first`, then each of `afterKey` with the record's key before it. */
interface EncodedCommon {
  headers: CommonHeaders;
  /** The lengths in the headers are for a key of this many bytes. */
  keyLength: number;
  first: Buffer;
  afterKey: readonly Buffer[];
  count: number;
}

/**
 * Writes record batches into one reused buffer. The client's own encoder makes a dozen objects per record and several per header: with our
 * eight headers it takes 13 µs per record, this encoder less than 2 µs.
 */
export class RecordBatchEncoder {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #at = 0;
  readonly #names = new Map<string, HeaderName>();
  /** The common headers seen last, for keys as long as the key seen last. */
  #common: EncodedCommon = encodeCommon({ fixed: {}, afterKey: {} }, 0);

  /** Frees the space of all batches since the last reset. */
  reset(): void {
    this.#at = 0;
  }

  /**
   * Encodes records from `start` on, until the batch would exceed `bytesMax`. One record is always encoded, so that the broker refuses a
   * record that is too large; otherwise it would stay here for ever.
   */
  encode(
    records: readonly { readonly record: OutgoingRecord; readonly bytes: number }[],
    start: number,
    bytesMax: number,
    timestampMs: number,
    identity: BatchIdentity,
  ): EncodedBatch {
    let base = this.#at;
    this.#at += RECORDS_AT;
    let count = 0;
    for (let index = start; index < records.length; index++) {
      const queued = records[index];
      if (queued === undefined) break;
      base = this.#reserve(base, 3 * queued.bytes + RECORD_FRAMING_MAX + RECORDS_AT);
      const before = this.#at;
      this.#record(queued.record, count);
      if (count > 0 && this.#at - base > bytesMax) {
        this.#at = before;
        break;
      }
      count++;
    }
    const bytes = this.#bytes.subarray(base, this.#at);
    bytes.writeBigInt64BE(0n, 0);
    bytes.writeInt32BE(bytes.length - LEADER_EPOCH_AT, LENGTH_AT);
    bytes.writeInt32BE(-1, LEADER_EPOCH_AT);
    bytes.writeInt8(2, MAGIC_AT);
    bytes.writeInt16BE(0, ATTRIBUTES_AT);
    bytes.writeInt32BE(count - 1, LAST_OFFSET_DELTA_AT);
    bytes.writeBigInt64BE(BigInt(timestampMs), BASE_TIMESTAMP_AT);
    bytes.writeBigInt64BE(BigInt(timestampMs), MAX_TIMESTAMP_AT);
    bytes.writeBigInt64BE(identity.producerId, PRODUCER_ID_AT);
    bytes.writeInt16BE(identity.producerEpoch, PRODUCER_EPOCH_AT);
    bytes.writeInt32BE(identity.baseSequence, BASE_SEQUENCE_AT);
    bytes.writeInt32BE(count, RECORD_COUNT_AT);
    // The client's own function for this copies the bytes first and leaves the copies to the garbage collector.
    bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES_AT)), CRC_AT);
    return { bytes, count };
  }

  /** Makes room for `size` more bytes. The batch that begins at `base` is moved; batches before it keep their memory. */
  #reserve(base: number, size: number): number {
    if (this.#at + size <= this.#bytes.length) return base;
    const begun = this.#bytes.subarray(base, this.#at);
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length, 2 * (begun.length + size)));
    begun.copy(this.#bytes);
    this.#at = begun.length;
    return 0;
  }

  #record(record: OutgoingRecord, offsetDelta: number): void {
    // The length comes first, and its varint has an unknown width. Two bytes are enough for all but large records.
    const lengthAt = this.#at;
    this.#at += 2;
    const bodyAt = this.#at;
    const bytes = this.#bytes;
    bytes[this.#at] = 0; // attributes
    bytes[this.#at + 1] = 0; // timestamp delta: all records of a batch share its timestamp
    this.#at = writeVarint(bytes, offsetDelta, this.#at + 2);
    const keyAt = this.#textOrBytes(record.key);
    const keyEnd = this.#at;
    if (record.value === null) this.#at = writeVarint(bytes, -1, this.#at);
    else this.#textOrBytes(record.value);
    const countAt = this.#at;
    this.#at++;
    const { commonHeaders, headers } = record;
    const common = commonHeaders === undefined ? 0 : this.#commonHeaders(commonHeaders, keyAt, keyEnd);
    this.#count(common + this.#headers(headers), countAt);
    const length = this.#at - bodyAt;
    const width = varintWidth(length);
    if (width !== 2) {
      bytes.copyWithin(lengthAt + width, bodyAt, this.#at);
      this.#at = lengthAt + width + length;
    }
    writeVarint(bytes, length, lengthAt);
  }

  /**
   * The key is in this batch from `keyAt` to `keyEnd`.
   * @returns the number of headers
   */
  #commonHeaders(headers: CommonHeaders, keyAt: number, keyEnd: number): number {
    const keyLength = keyEnd - keyAt;
    if (headers !== this.#common.headers || keyLength !== this.#common.keyLength)
      this.#common = encodeCommon(headers, keyLength);
    const { first, afterKey, count } = this.#common;
    this.#copy(first);
    for (const encoded of afterKey) {
      this.#bytes.copyWithin(this.#at, keyAt, keyEnd);
      this.#at += keyLength;
      this.#copy(encoded);
    }
    return count;
  }

  /** @returns the number of headers */
  #headers(headers: OutgoingRecord['headers']): number {
    let count = 0;
    for (const name in headers) {
      const value = headers[name];
      if (value === undefined) continue;
      count++;
      const known = this.#names.get(name) ?? this.#learn(name);
      this.#copy(known.encoded);
      if (typeof value !== 'string' || known.values === undefined) this.#textOrBytes(value);
      else this.#copy(known.values.get(value) ?? remember(known, value));
    }
    return count;
  }

  /** Writes the number of headers before them, where one byte was left free for it. */
  #count(count: number, countAt: number): void {
    const width = varintWidth(count);
    if (width !== 1) {
      this.#bytes.copyWithin(countAt + width, countAt + 1, this.#at);
      this.#at += width - 1;
    }
    writeVarint(this.#bytes, count, countAt);
  }

  #learn(name: string): HeaderName {
    const known: HeaderName = { encoded: encodeText(name), values: new Map() };
    if (this.#names.size >= REMEMBERED_NAMES_MAX) known.values = undefined;
    else this.#names.set(name, known);
    return known;
  }

  #copy(source: Buffer): void {
    this.#bytes.set(source, this.#at);
    this.#at += source.length;
  }

  /** @returns where the bytes begin, after their length */
  #textOrBytes(value: string | Buffer): number {
    const bytes = this.#bytes;
    if (typeof value !== 'string') {
      const begin = writeVarint(bytes, value.length, this.#at);
      this.#at = begin;
      this.#copy(value);
      return begin;
    }
    if (value.length <= ONE_BYTE_LENGTH_MAX) {
      const written = bytes.write(value, this.#at + 1);
      if (written <= ONE_BYTE_LENGTH_MAX) {
        const begin = this.#at + 1;
        bytes[this.#at] = written << 1;
        this.#at = begin + written;
        return begin;
      }
    }
    const begin = writeVarint(bytes, Buffer.byteLength(value), this.#at);
    this.#at = begin + bytes.write(value, begin);
    return begin;
  }
}

function remember(known: HeaderName, value: string): Buffer {
  const encoded = encodeText(value);
  if (known.values !== undefined && known.values.size < REMEMBERED_VALUES_MAX) known.values.set(value, encoded);
  else known.values = undefined;
  return encoded;
}

function encodeCommon(headers: CommonHeaders, keyLength: number): EncodedCommon {
  const fixed = Object.entries(headers.fixed);
  const ofKey = Object.entries(headers.afterKey).map(([name, text]) => ({
    name: encodeText(name),
    text: Buffer.from(text),
  }));
  /** The bytes of a header before the key in its value. */
  const toKey = (header: (typeof ofKey)[number] | undefined) =>
    header === undefined ? [] : [header.name, encodeLength(keyLength + header.text.length)];
  return {
    headers,
    keyLength,
    first: Buffer.concat([...fixed.flat().map(encodeText), ...toKey(ofKey[0])]),
    afterKey: ofKey.map(({ text }, index) => Buffer.concat([text, ...toKey(ofKey[index + 1])])),
    count: fixed.length + ofKey.length,
  };
}

function encodeText(text: string): Buffer {
  return Buffer.concat([encodeLength(Buffer.byteLength(text)), Buffer.from(text)]);
}

function encodeLength(length: number): Buffer {
  const bytes = Buffer.alloc(VARINT_BYTES_MAX);
  return bytes.subarray(0, writeVarint(bytes, length, 0));
}

/**
 * Writes a signed zigzag varint of 32 bits.
 * @returns where it ends
 */
function writeVarint(bytes: Buffer, value: number, at: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let end = at;
  while (rest > 0x7f) {
    bytes[end] = (rest & 0x7f) | 0x80;
    end++;
    rest >>>= 7;
  }
  bytes[end] = rest;
  return end + 1;
}

function varintWidth(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 1 << 7) return 1;
  if (zigzag < 1 << 14) return 2;
  if (zigzag < 1 << 21) return 3;
  return zigzag < 1 << 28 ? 4 : 5;
}
