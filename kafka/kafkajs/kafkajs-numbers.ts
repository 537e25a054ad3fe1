import { createRequire } from 'node:module';

/*
 * kafkajs computes the offset and timestamp of every record with BigInts, about twenty per record. Nearly all of these values fit into a
 * number, and this file computes them as numbers (docs/decisions/0001-two-kafka-clients.md has what that saves).
 */

const require = createRequire(import.meta.url);

/** kafkajs's 64-bit integer: src/utils/long.js. */
interface Long {
  readonly value: bigint;
  add(other: Long | number | string): Long;
  greaterThanOrEqual(other: Long | number | string): boolean;
}

interface LongClass {
  prototype: Long;
  fromValue(value: unknown): Long;
}

/** Strings up to this length are below 2^53. */
const SAFE_DIGITS = 15;
/** Varints up to this length fit into the bits of a small integer. */
const SMALL_VARINT_BYTES = 4;

const Long = require('kafkajs/src/utils/long.js') as LongClass;
const { fromValue } = Long;
const { add, greaterThanOrEqual } = Long.prototype;

/** A Long that a number holds exactly. A method that isn't overridden uses the BigInt in `value`. */
class SafeLong implements Long {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }

  get value(): bigint {
    return BigInt(this.number);
  }

  add(other: Long | number | string): Long {
    if (other instanceof SafeLong || typeof other === 'number') {
      const sum = this.number + (typeof other === 'number' ? other : other.number);
      if (Number.isSafeInteger(sum)) return new SafeLong(sum);
    }
    return add.call(this, other);
  }

  greaterThanOrEqual(other: Long | number | string): boolean {
    return other instanceof SafeLong ? this.number >= other.number : greaterThanOrEqual.call(this, other);
  }

  toString(): string {
    return String(this.number);
  }
}
Object.setPrototypeOf(SafeLong.prototype, Long.prototype);

Long.fromValue = function (value: unknown): Long {
  return typeof value === 'string' && isShortNumber(value) ? new SafeLong(Number(value)) : fromValue.call(this, value);
};

function isShortNumber(text: string): boolean {
  if (text.length === 0 || text.length > SAFE_DIGITS) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readVarLong(): Long;
}

const Decoder = require('kafkajs/src/protocol/decoder.js') as { prototype: Decoder };
const { readVarLong } = Decoder.prototype;
/** Timestamps within a batch are milliseconds since its first record: usually two bytes. */
Decoder.prototype.readVarLong = function (this: Decoder): Long {
  const { buffer, offset } = this;
  let bits = 0;
  for (let index = 0; index < SMALL_VARINT_BYTES; index++) {
    const byte = buffer[offset + index] as number;
    bits |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) {
      this.offset = offset + index + 1;
      return new SafeLong((bits >>> 1) ^ -(bits & 1));
    }
  }
  return readVarLong.call(this);
};
