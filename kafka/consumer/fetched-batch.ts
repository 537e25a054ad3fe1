import type { Batch, KafkaMessage } from 'kafkajs';
import { UndecodedHeaders } from '../kafkajs/kafkajs-fetch-answers.ts';
import type { FetchedBatch, FetchedRecord } from './consumer.ts';
import { type PackedHeaders, readPackedHeaders } from './packed-headers.ts';

/** Makes the batch that this room hands out of a kafkajs batch. Called by kafkajs-consumer.ts for each batch of a fetch. */
export function fetchedBatch(topic: string, partition: number, batch: Batch): FetchedBatch {
  return {
    topic,
    partition,
    highWatermark: Number(batch.highWatermark),
    records: batch.messages.map((message) => new KafkajsRecord(message)),
  };
}

class KafkajsRecord implements FetchedRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly packedHeaders: PackedHeaders;

  constructor(message: KafkaMessage) {
    this.offset = Number(message.offset);
    this.timestamp = Number(message.timestamp);
    this.key = message.key;
    this.value = message.value;
    // Records of magic 0 and 1 have no headers; brokers no longer store such records.
    this.packedHeaders = message.headers instanceof UndecodedHeaders ? message.headers : UndecodedHeaders.none;
  }

  get headers(): Record<string, Buffer> {
    return readPackedHeaders(this.packedHeaders.buffer, this.packedHeaders.start);
  }
}
