import type { Batch, KafkaMessage } from 'kafkajs';
import type { FetchedBatch, FetchedRecord } from './consumer.ts';

/** The room's form of a kafkajs batch. */
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
  readonly #headers: KafkaMessage['headers'];

  constructor(message: KafkaMessage) {
    this.offset = Number(message.offset);
    this.timestamp = Number(message.timestamp);
    this.key = message.key;
    this.value = message.value;
    this.#headers = message.headers;
  }

  get headers(): Record<string, Buffer> {
    const headers = this.#headers ?? {};
    for (const name in headers) {
      const value = headers[name];
      if (Array.isArray(value)) headers[name] = value.at(-1) as Buffer;
    }
    return headers as Record<string, Buffer>;
  }
}
