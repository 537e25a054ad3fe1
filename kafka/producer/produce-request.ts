// Encodes a Produce request and decodes its answer. Called by platformatic-transport.ts.

import { type Connection, Writer } from '@platformatic/kafka';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';

const PRODUCE_API_KEY = 0;
/** The first version with compact encoding; brokers since Kafka 2.4 support it. */
const PRODUCE_API_VERSION = 9;
const ACKS_OF_ALL_IN_SYNC_REPLICAS = -1;

/** One record batch for one partition. */
export interface PartitionPayload {
  topic: string;
  partition: number;
  bytes: Buffer;
}

/** A broker's result for one partition; 0 is success. */
export interface PartitionResult {
  topic: string;
  partition: number;
  errorCode: number;
  errorMessage: string | null;
}

/**
 * Sends one Produce request with acks=all. Rejects when no answer came. An answer has a result for each partition; the client's own `api`
 * would make one error of all of them.
 */
export function produce(
  connection: Connection,
  payloads: PartitionPayload[],
  timeoutMs: number,
): Promise<PartitionResult[]> {
  return new Promise((resolve, reject) => {
    connection.send(
      PRODUCE_API_KEY,
      PRODUCE_API_VERSION,
      () => request(payloads, timeoutMs),
      (_correlationId, _apiKey, _apiVersion, reader) => {
        // The promises that follow from the answer are work of the producer too.
        threadStages.at(stage.produce);
        return results(reader);
      },
      true,
      true,
      (error: Error | null | undefined, response: PartitionResult[] | undefined) => {
        if (error != null || response === undefined) reject(error ?? new Error('no response to a produce request'));
        else resolve(response);
      },
    );
  });
}

type ReaderOf = Parameters<Parameters<Connection['send']>[3]>[3];

function request(payloads: PartitionPayload[], timeoutMs: number): Writer {
  const topics = new Map<string, PartitionPayload[]>();
  for (const payload of payloads) {
    const ofTopic = topics.get(payload.topic);
    if (ofTopic === undefined) topics.set(payload.topic, [payload]);
    else ofTopic.push(payload);
  }
  return Writer.create()
    .appendString(null) // no transaction
    .appendInt16(ACKS_OF_ALL_IN_SYNC_REPLICAS)
    .appendInt32(timeoutMs)
    .appendArray([...topics], (writer, [topic, partitions]) => {
      writer.appendString(topic).appendArray(partitions, (inner, { partition, bytes }) => {
        inner.appendInt32(partition).appendBytes(bytes);
      });
    })
    .appendTaggedFields();
}

function results(reader: ReaderOf): PartitionResult[] {
  const all: PartitionResult[] = [];
  reader.readArray(
    (topicReader) => {
      const topic = topicReader.readString();
      topicReader.readArray(
        (r) => {
          const partition = r.readInt32();
          const errorCode = r.readInt16();
          r.readInt64(); // base offset
          r.readInt64(); // log append time
          r.readInt64(); // log start offset
          r.readArray(
            (e) => {
              e.readInt32();
              e.readNullableString();
              e.readTaggedFields();
            },
            true,
            false,
          );
          const errorMessage = r.readNullableString();
          r.readTaggedFields();
          all.push({ topic, partition, errorCode, errorMessage });
        },
        true,
        false,
      );
      topicReader.readTaggedFields();
    },
    true,
    false,
  );
  return all;
}
