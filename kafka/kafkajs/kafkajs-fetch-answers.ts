import { createRequire } from 'node:module';
import './kafkajs-numbers.ts';
import type { PackedHeaders } from '../consumer/packed-headers.ts';

/*
 * How the answer to a fetch is decoded, in place of kafkajs's own decoder. An error of one partition stays with this partition, an empty batch is not
 * fetched again, and the headers of records stay undecoded.
 */

const require = createRequire(import.meta.url);

/** By the (empty) array of a partition's messages: why its data could not be used. */
const failures = new WeakMap<unknown[], Error>();

/** Why the data of a partition could not be used; undefined if `messages` has everything in the answer. */
export function decodeFailureOf(messages: unknown[]): Error | undefined {
  return failures.get(messages);
}

/** Errors of a partition that kafkajs acts on: it joins again or looks for the leader. Every other error affects its partition only. */
const handledByKafkajs: ReadonlySet<string> = new Set([
  'OFFSET_OUT_OF_RANGE',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_OR_PARTITION',
]);

interface FetchDecoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(length: number): Buffer;
  canReadBytes(length: number): boolean;
  readArray<T>(read: (decoder: FetchDecoder) => T): T[];
  readArrayAsync<T>(read: (decoder: FetchDecoder) => Promise<T>): Promise<T[]>;
}

/** src/protocol/recordBatch/v0/decoder.js */
interface RecordBatch {
  firstOffset: string;
  lastOffsetDelta: number;
  records: unknown[];
}

const FetchDecoder = require('kafkajs/src/protocol/decoder.js') as { new (buffer: Buffer): FetchDecoder };
const fetchResponse = require('kafkajs/src/protocol/requests/fetch/v11/response.js') as {
  decode(rawData: Buffer): Promise<object>;
};
const decodeMessageSet = require('kafkajs/src/protocol/messageSet/decoder.js') as (
  decoder: FetchDecoder,
  size: number,
) => Promise<unknown[]>;
const decodeRecordBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
  decoder: FetchDecoder,
) => Promise<RecordBatch>;
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  createErrorFromCode(code: number): Error & { type: string };
};
const RECORD_BATCH_OVERHEAD = 49;
const MAGIC_AT = 16;
const MAGIC_OF_BATCHES = 2;

/**
 * Decodes as kafkajs does, except that an error of one partition affects this partition only. kafkajs throws the whole answer away, so that one batch that
 * can't be decoded, or one topic without permission, stops every partition of a broker.
 */
fetchResponse.decode = async (rawData) => {
  const decoder = new FetchDecoder(rawData);
  const clientSideThrottleTime = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const sessionId = decoder.readInt32();
  const responses = await decoder.readArrayAsync(async (ofTopic) => ({
    topicName: ofTopic.readString(),
    partitions: await ofTopic.readArrayAsync(decodePartition),
  }));
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
};

async function decodePartition(decoder: FetchDecoder) {
  const partition = decoder.readInt32();
  const code = decoder.readInt16();
  const header = {
    partition,
    errorCode: code,
    highWatermark: decoder.readInt64().toString(),
    lastStableOffset: decoder.readInt64().toString(),
    lastStartOffset: decoder.readInt64().toString(),
    abortedTransactions: decoder.readArray((of) => ({
      producerId: of.readInt64().toString(),
      firstOffset: of.readInt64().toString(),
    })),
    preferredReadReplica: decoder.readInt32(),
  };
  const messages = await decodeMessages(decoder);
  const error = code === 0 ? undefined : createErrorFromCode(code);
  if (error === undefined || handledByKafkajs.has(error.type)) return { ...header, messages };
  const nothing: unknown[] = [];
  failures.set(nothing, error);
  return { ...header, errorCode: 0, messages: nothing };
}

/** Decodes batch by batch. The batches before one that can't be decoded are used, and the next fetch begins with the undecodable batch. */
async function decodeMessages(decoder: FetchDecoder): Promise<unknown[]> {
  const size = decoder.readInt32();
  if (size <= 0 || !decoder.canReadBytes(size)) return [];
  const buffer = decoder.readBytes(size);
  const batches = new FetchDecoder(buffer);
  const messages: unknown[] = [];
  try {
    if (buffer.readInt8(MAGIC_AT) !== MAGIC_OF_BATCHES) return await decodeMessageSet(batches, size);
    while (batches.canReadBytes(RECORD_BATCH_OVERHEAD)) {
      const batch = await decodeRecordBatch(batches);
      for (const record of batch.records) messages.push(record);
      if (batch.records.length === 0) messages.push(placeholder(batch));
    }
  } catch (error) {
    // An answer may end in the middle of its last batch.
    const { name } = error as Error;
    if (messages.length === 0 && name !== 'KafkaJSPartialMessageError') failures.set(messages, error as Error);
  }
  return messages;
}

/**
 * Compaction may remove all records of a producer's newest batch and keep the empty batch. kafkajs would fetch an empty batch for ever
 * (tulios/kafkajs#1072). This message moves the position past the last offset of the batch; kafkajs drops it, because it is marked as a control record.
 */
function placeholder(batch: RecordBatch): unknown {
  const offset = String(BigInt(batch.firstOffset) + BigInt(batch.lastOffsetDelta));
  return { offset, isControlRecord: true, key: null, batchContext: batch };
}

/** Takes the place of a message's headers until they are decoded. */
export class UndecodedHeaders implements PackedHeaders {
  static readonly none = new UndecodedHeaders(Buffer.from([0]), 0);
  readonly buffer: Buffer;
  readonly start: number;

  constructor(buffer: Buffer, start: number) {
    this.buffer = buffer;
    this.start = start;
  }
}

interface DecoderInternals {
  buffer: Buffer;
  offset: number;
  readVarIntArray(): { reduce(): UndecodedHeaders };
}

/**
 * kafkajs decodes every header of every record into objects, which costs as much as the rest of the record. kafkajs calls `reduce` on this
 * array for headers only, the last part of a record; the result becomes the message's `headers`.
 */
const Decoder = require('kafkajs/src/protocol/decoder.js') as { prototype: DecoderInternals };
Decoder.prototype.readVarIntArray = function (this: DecoderInternals) {
  const { buffer, offset } = this;
  return { reduce: () => new UndecodedHeaders(buffer, offset) };
};
