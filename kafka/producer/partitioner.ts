/** The partition of a key, computed as in the Java client's default partitioner, so that all clients agree. */
export function partitionOf(key: string | Buffer, partitionCount: number): number {
  return (murmur2(typeof key === 'string' ? textBytes(key) : key) & 0x7fffffff) % partitionCount;
}

/**
 * Keys are usually short ASCII text. Their bytes are written into this buffer, so that no buffer is allocated per key. Valid until the next
 * call.
 */
const scratch = new Uint8Array(64);
const views = Array.from({ length: scratch.length + 1 }, (_, length) => scratch.subarray(0, length));

function textBytes(key: string): Uint8Array {
  const view = views[key.length];
  if (view === undefined) return Buffer.from(key);
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    if (code > 0x7f) return Buffer.from(key);
    scratch[at] = code;
  }
  return view;
}

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const SHIFT = 24;

/**
 * MurmurHash2, 32 bits, with Kafka's seed; the result is a signed integer.
 * Source: org.apache.kafka.common.utils.Utils#murmur2.
 */
export function murmur2(data: Uint8Array): number {
  const length = data.length;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    // The loop's bound guarantees that these four bytes exist; `| 0` replaces a check for undefined.
    let word =
      (data[at] as number) |
      ((data[at + 1] as number) << 8) |
      ((data[at + 2] as number) << 16) |
      ((data[at + 3] as number) << 24) |
      0;
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> SHIFT;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const rest = length - at;
  if (rest === 3) hash ^= (data[at + 2] as number) << 16;
  if (rest >= 2) hash ^= (data[at + 1] as number) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (data[at] as number), MULTIPLIER);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}
