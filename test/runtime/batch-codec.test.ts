import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FetchedRecord } from '../../kafka/consumer/consumer.ts';
import { PackedBatch, packBatch } from '../../runtime/wire/batch-codec.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const record: fc.Arbitrary<FetchedRecord> = fc.record({
  offset: fc.nat(),
  timestamp: fc.nat(),
  key: fc.option(bytes(40)),
  value: fc.option(bytes(200)),
  headers: fc.dictionary(fc.string({ maxLength: 12 }), bytes(20), { maxKeys: 4 }),
});

function unpack(batch: PackedBatch): FetchedRecord[] {
  let start = batch.payloadStart;
  return Array.from({ length: batch.count }, (_, index) => {
    const at = start;
    start += batch.weight(index);
    return {
      offset: batch.offsets[index] ?? -1,
      timestamp: batch.timestamps[index] ?? -1,
      key: batch.key(index, at),
      value: batch.value(index, at),
      headers: { ...batch.headers(index, at) },
    };
  });
}

const plain = (records: FetchedRecord[]) => records.map((one) => ({ ...one, headers: { ...one.headers } }));

test('a batch is read as it was packed', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 30 }), (records) => {
      const { buffer, bytes: weight } = packBatch(records);
      const batch = new PackedBatch(buffer);
      expect(unpack(batch)).toEqual(plain(records));
      const weights = records.map((_, index) => batch.weight(index));
      expect(weights.reduce((sum, one) => sum + one, 0)).toBe(weight);
    }),
  );
});

test('headers that the client has packed are passed on as they are', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), (records) => {
      const first = new PackedBatch(packBatch(records).buffer);
      let start = first.payloadStart;
      const again = records.map((one, index) => {
        const end = start + first.weight(index);
        const headersStart = start + (one.key?.length ?? 0) + (one.value?.length ?? 0);
        start = end;
        // Packed headers as a client would give them; a single zero is the count of no headers.
        const packed =
          headersStart === end
            ? { buffer: Buffer.of(0), start: 0 }
            : { buffer: first.bytes.subarray(0, end), start: headersStart };
        return { ...one, headers: {}, packedHeaders: packed };
      });
      expect(unpack(new PackedBatch(packBatch(again).buffer))).toEqual(plain(records));
    }),
  );
});

test('a detached record is the same record', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 10 }), fc.nat(), (records, pick) => {
      const index = pick % records.length;
      const batch = new PackedBatch(packBatch(records).buffer);
      let start = batch.payloadStart;
      for (let i = 0; i < index; i++) start += batch.weight(i);
      const detached = batch.detach(index, start);
      expect(unpack(detached)).toEqual(plain(records.slice(index, index + 1)));
      expect(detached.bytes.length).toBeLessThanOrEqual(batch.bytes.length);
    }),
  );
});
