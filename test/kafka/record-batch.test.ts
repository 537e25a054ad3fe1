import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPackedHeaders } from '../../kafka/consumer/packed-headers.ts';
import type { OutgoingRecord } from '../../kafka/producer/producer.ts';
import { RecordBatchEncoder } from '../../kafka/producer/record-batch.ts';

const identity = { producerId: 4_000_000_000n, producerEpoch: 3, baseSequence: 77 };

const anyText = fc.string({ unit: 'grapheme', maxLength: 300 });
const anyBytes = fc.uint8Array({ maxLength: 9_000 }).map((bytes) => Buffer.from(bytes));
const anyTexts = fc.dictionary(anyText, anyText, { maxKeys: 5 });
const anyRecord: fc.Arbitrary<OutgoingRecord> = fc.record(
  {
    topic: fc.constant('t'),
    key: fc.oneof(anyText, anyBytes),
    value: fc.oneof(anyText, anyBytes, fc.constant(null)),
    headers: fc.dictionary(anyText, fc.oneof(anyText, anyBytes), { maxKeys: 70 }),
    commonHeaders: fc.oneof(
      fc.constant({ fixed: { source: '/gateway' }, afterKey: { id: '/placed', subject: '' } }),
      fc.record({ fixed: anyTexts, afterKey: anyTexts }),
    ),
  },
  { requiredKeys: ['topic', 'key', 'value'] },
);

function queued(record: OutgoingRecord) {
  let bytes = 100 + record.key.length + (record.value?.length ?? 0);
  for (const [name, value] of headersOf(record)) bytes += 4 + name.length + value.length;
  return { record, bytes };
}

/** All headers of a record, in their order. */
function headersOf({ key, headers = {}, commonHeaders = { fixed: {}, afterKey: {} } }: OutgoingRecord) {
  const ofKey = Object.entries(commonHeaders.afterKey).map(
    ([name, text]) => [name, Buffer.concat([Buffer.from(key), Buffer.from(text)])] as const,
  );
  return [...Object.entries(commonHeaders.fixed), ...ofKey, ...Object.entries(headers)];
}

function textOf(value: string | Buffer | null): string | null {
  return value === null ? null : Buffer.from(value).toString('hex');
}

describe('RecordBatchEncoder', () => {
  test('writes batches that the client reads back as they were', () => {
    const encoder = new RecordBatchEncoder();
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), (records) => {
        encoder.reset();
        const { bytes, count } = encoder.encode(records.map(queued), 0, 10_000_000, 1_700_000_000_123, identity);
        expect(count).toBe(records.length);
        const batch = readRecordsBatch(Reader.from(bytes));
        expect(batch).toMatchObject({
          magic: 2,
          length: bytes.length - 12,
          lastOffsetDelta: count - 1,
          firstTimestamp: 1_700_000_000_123n,
          maxTimestamp: 1_700_000_000_123n,
          producerId: identity.producerId,
          producerEpoch: identity.producerEpoch,
          firstSequence: identity.baseSequence,
        });
        expect(batch.crc >>> 0).toBe(crc32c(bytes.subarray(21)) >>> 0);
        batch.records.forEach((read, index) => {
          const sent = records[index];
          expect(read.offsetDelta).toBe(index);
          expect(textOf(read.key)).toBe(textOf(sent?.key ?? null));
          expect(textOf(read.value)).toBe(textOf(sent?.value ?? null));
          const headers = read.headers.map(([name, value]) => [String(name), textOf(value)]);
          expect(headers).toEqual(sent && headersOf(sent).map(([name, value]) => [name, textOf(value)]));
        });
      }),
    );
  });

  test('stops before the bound, takes one record all the same, and keeps earlier batches while it grows', () => {
    const encoder = new RecordBatchEncoder();
    const records = Array.from({ length: 30 }, (_, n) =>
      queued({ topic: 't', key: String(n), value: Buffer.alloc(100_000, n) }),
    );
    const batches: Buffer[] = [];
    for (let start = 0; start < records.length; ) {
      const { bytes, count } = encoder.encode(records, start, 350_000, 0, identity);
      expect(count).toBe(3);
      expect(bytes.length).toBeLessThanOrEqual(350_000);
      batches.push(bytes);
      start += count;
    }
    const read = batches.flatMap((bytes) => readRecordsBatch(Reader.from(bytes)).records);
    expect(read.map(({ key }) => String(key))).toEqual(records.map(({ record }) => record.key));
    expect(read.every(({ value }, n) => value?.every((byte) => byte === n))).toBe(true);
    expect(encoder.encode(records, 0, 10, 0, identity).count).toBe(1);
  });
});

describe('readPackedHeaders', () => {
  test('reads what the encoder writes', () => {
    const encoder = new RecordBatchEncoder();
    fc.assert(
      fc.property(fc.dictionary(anyText, fc.oneof(anyText, anyBytes), { maxKeys: 70 }), (headers) => {
        encoder.reset();
        const { bytes } = encoder.encode([queued({ topic: 't', key: '', value: null, headers })], 0, 1, 0, identity);
        // Attributes, timestamp and offset deltas, empty key and null value take a byte each, after the record's length.
        const record = bytes.subarray(61);
        const lengthBytes = record.findIndex((byte) => byte < 0x80) + 1;
        const read = readPackedHeaders(record.subarray(lengthBytes + 5));
        expect(Object.entries(read).map(([name, value]) => [name, textOf(value)])).toEqual(
          Object.entries(headers).map(([name, value]) => [name, textOf(value)]),
        );
      }),
    );
  });
});
