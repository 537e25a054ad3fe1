import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import '../../kafka/kafkajs/kafkajs-fetch-answers.ts';
import { RecordBatchEncoder } from '../../kafka/producer/record-batch.ts';

const require = createRequire(import.meta.url);
const { decode } = require('kafkajs/src/protocol/requests/fetch/v11/response.js') as {
  decode(frame: Buffer): Promise<{ responses: { partitions: object[] }[] }>;
};
const Batch = require('kafkajs/src/consumer/batch.js') as {
  new (
    topic: string,
    fetchedOffset: string,
    partition: object,
  ): {
    messages: { offset: string }[];
    isEmptyDueToFiltering(): boolean;
    lastOffset(): string;
  };
};

/** Of a record batch, magic 2: see kafka/producer/record-batch.ts. */
const RECORD_COUNT_AT = 57;
const RECORDS_AT = 61;
const LENGTH_AT = 8;

function batchOf(firstOffset: number, values: string[]): Buffer {
  const queued = values.map((value) => ({ record: { topic: 't', key: 'k', value }, bytes: 100 }));
  const identity = { producerId: 7n, producerEpoch: 0, baseSequence: 0 };
  const { bytes } = new RecordBatchEncoder().encode(queued, 0, 1_000_000, 1_700_000_000_000, identity);
  const batch = Buffer.from(bytes);
  batch.writeBigInt64BE(BigInt(firstOffset), 0);
  return batch;
}

/** What compaction leaves of a producer's newest batch: the batch header with its offsets, and no records. */
function emptied(batch: Buffer): Buffer {
  const head = Buffer.from(batch.subarray(0, RECORDS_AT));
  head.writeInt32BE(RECORDS_AT - 12, LENGTH_AT);
  head.writeInt32BE(0, RECORD_COUNT_AT);
  return head;
}

/** The answer to a fetch, version 11, of partition 0 of `t` with these batches. */
async function fetched(fetchedOffset: number, highWatermark: number, ...batches: Buffer[]) {
  const records = Buffer.concat(batches);
  const head = Buffer.alloc(4 + 2 + 4 + 4 + 3 + 4 + 4 + 2 + 8 + 8 + 8 + 4 + 4 + 4);
  let at = head.writeInt32BE(1, 10);
  at = head.writeInt16BE(1, at);
  at += head.write('t', at);
  at = head.writeInt32BE(1, at);
  at = head.writeInt32BE(0, at);
  at = head.writeInt16BE(0, at);
  for (const offset of [highWatermark, highWatermark, 0]) at = head.writeBigInt64BE(BigInt(offset), at);
  at = head.writeInt32BE(0, at);
  at = head.writeInt32BE(-1, at);
  head.writeInt32BE(records.length, at);
  const { responses } = await decode(Buffer.concat([head, records]));
  return new Batch('t', String(fetchedOffset), responses[0]?.partitions[0] ?? {});
}

test('a fetch that brings an empty batch goes on behind it', async () => {
  const batch = await fetched(40, 50, emptied(batchOf(40, ['a', 'b', 'c'])));
  expect([batch.messages, batch.isEmptyDueToFiltering(), batch.lastOffset()]).toEqual([[], true, '42']);
});

test('an empty batch between others hides none of their records', async () => {
  const batch = await fetched(10, 20, batchOf(10, ['a']), emptied(batchOf(11, ['b', 'c'])), batchOf(13, ['d']));
  expect(batch.messages.map(({ offset }) => offset)).toEqual(['10', '13']);
  expect(batch.lastOffset()).toBe('13');
});

test('an empty batch behind the last record is not fetched again', async () => {
  const batch = await fetched(10, 20, batchOf(10, ['a']), emptied(batchOf(11, ['b', 'c'])));
  expect([batch.messages.map(({ offset }) => offset), batch.lastOffset()]).toEqual([['10'], '12']);
});
