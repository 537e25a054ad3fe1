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

test('one header is read as all of them are', () => {
  const name = fc.constantFrom('ce_type', 'ce_time', 'ce_typ', 'ce_types', '__proto__', '');
  const headers = fc.dictionary(name, bytes(20));
  const records = fc.array(fc.tuple(record, headers).map(([one, of]) => ({ ...one, headers: of })));
  fc.assert(
    fc.property(records, name, (all, asked) => {
      const batch = new PackedBatch(packBatch(all).buffer);
      let start = batch.payloadStart;
      for (const [index, { headers: of }] of all.entries()) {
        const expected = Object.hasOwn(of, asked) ? of[asked]?.toString() : undefined;
        expect(batch.header(index, start, asked)).toBe(expected);
        start += batch.weight(index);
      }
    }),
  );
});

test('of a header that is there twice, the last value counts', () => {
  const packed = { buffer: Buffer.from([6, 2, 97, 2, 49, 2, 98, 2, 50, 2, 97, 2, 51]), start: 0 };
  const one: FetchedRecord = { offset: 0, timestamp: 0, key: null, value: null, headers: {}, packedHeaders: packed };
  const batch = new PackedBatch(packBatch([one]).buffer);
  expect(batch.header(0, batch.payloadStart, 'a')).toBe('3');
  expect(batch.headers(0, batch.payloadStart).a?.toString()).toBe('3');
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
