import { setTimeout as delay } from 'node:timers/promises';
import type { Message, Producer } from 'kafkajs';
import { limits } from '../contracts/limits.ts';
import { KafkaUnavailableError, RecordRefusedError, TopicAbsentError } from './errors.ts';
import { groupCommit } from './group-commit.ts';
import { kafkajsClient } from './kafkajs-client.ts';
import { protocolErrorName } from './kafkajs-errors.ts';
import { partitionOf } from './partitioner.ts';
import { produceVerdictByName } from './produce-errors.ts';
import type { OutgoingRecord, ProducerOptions, RecordProducer } from './producer.ts';
import type { ProduceTransport, QueuedRecord } from './transport.ts';

const RETRY_MS = 250;
const ABSENT_ATTEMPTS = 3;

/**
 * The same producer on kafkajs: slower, and independent of the other client. It stands by in case that one fails us.
 * @throws KafkaUnavailableError when no broker answers.
 */
export async function createProducer(options: ProducerOptions): Promise<RecordProducer> {
  const transport = new KafkajsTransport(options);
  await transport.connect();
  // kafkajs makes one batch of all of a partition's records in a send, so the bound of a partition bounds the whole.
  return groupCommit(transport, { ...options, batchBytesMax: limits.producePartitionBytesMax });
}

class KafkajsTransport implements ProduceTransport {
  readonly #options: ProducerOptions;
  #producer: Producer | undefined;

  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  async connect(): Promise<void> {
    const producer = kafkajsClient(this.#options).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
      createPartitioner:
        () =>
        ({ message, partitionMetadata }) =>
          message.partition ?? partitionOf(message.key ?? '', partitionMetadata.length),
    });
    try {
      await producer.connect();
    } catch (error) {
      throw new KafkaUnavailableError(`no broker of ${this.#options.brokers.join(', ')} answers`, { cause: error });
    }
    this.#producer = producer;
  }

  /** Topic by topic, so that a topic that is refused takes no other with it. */
  async send(batch: readonly QueuedRecord[]): Promise<void> {
    const byTopic = Map.groupBy(batch, ({ record }) => record.topic);
    await Promise.all([...byTopic].map(([topic, records]) => this.#sendTopic(topic, records)));
  }

  async close(): Promise<void> {
    await this.#producer?.disconnect();
  }

  async #sendTopic(topic: string, records: QueuedRecord[]): Promise<void> {
    const messages = records.map(({ record }): Message => {
      const { key, value, partition } = record;
      return { key, value, headers: allHeaders(record), ...(partition !== undefined && { partition }) };
    });
    for (let attempt = 1; !records.every(({ settled }) => settled); attempt += 1) {
      try {
        if (this.#producer === undefined) await this.connect();
        await this.#producer?.send({ topic, acks: -1, messages });
        for (const queued of records) queued.settle(null);
      } catch (error) {
        const name = protocolErrorName(error);
        // A topic that was just created may not be known everywhere, so absence is believed after some patience.
        const verdict = name === undefined ? 'retry' : produceVerdictByName(name);
        const refusal = `topic ${topic}: ${name}`;
        if (verdict === 'absent' && attempt === ABSENT_ATTEMPTS)
          return settleAll(records, new TopicAbsentError(refusal));
        if (verdict === 'refused' || verdict === 'too-large') {
          // The batch holds several records and one of them may be at fault: each goes alone.
          if (records.length === 1) return settleAll(records, new RecordRefusedError(refusal));
          for (const queued of records) await this.#sendTopic(topic, [queued]);
          return;
        }
        // Its sequence numbers are unknown now: a new producer id starts over.
        const broken = this.#producer;
        this.#producer = undefined;
        await broken?.disconnect().catch(() => {});
        await delay(RETRY_MS);
      }
    }
  }
}

function settleAll(records: readonly QueuedRecord[], error: Error): void {
  for (const queued of records) queued.settle(error);
}

function allHeaders({ key, commonHeaders, headers }: OutgoingRecord): Record<string, string | Buffer> {
  const ofKey = Object.entries(commonHeaders?.afterKey ?? {}).map(([name, text]) => [name, `${key}${text}`]);
  return { ...commonHeaders?.fixed, ...Object.fromEntries(ofKey), ...headers };
}
