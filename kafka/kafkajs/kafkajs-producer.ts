import { setTimeout as delay } from 'node:timers/promises';
import type { Message, Producer } from 'kafkajs';
import { limits } from '../../contracts/limits.ts';
import { KafkaSetupError, RecordRefusedError } from '../errors.ts';
import { groupCommit } from '../producer/group-commit.ts';
import { partitionOf } from '../producer/partitioner.ts';
import { refusalOf } from '../producer/produce-errors.ts';
import type { OutgoingRecord, ProducerOptions, RecordProducer } from '../producer/producer.ts';
import type { ProduceTransport, QueuedRecord } from '../producer/transport.ts';
import { kafkaError, refusalIn } from '../security/refusals.ts';
import { kafkajsClient } from './kafkajs-client.ts';
import { protocolErrorName } from './kafkajs-errors.ts';

const RETRY_MS = 250;
const ABSENT_ATTEMPTS = 3;
/**
 * The same producer on kafkajs: slower, but independent of @platformatic/kafka. A replacement in case that client fails us.
 * @throws KafkaUnavailableError when no broker answers
 */
export async function createProducer(options: ProducerOptions): Promise<RecordProducer> {
  const transport = new KafkajsTransport(options);
  await transport.connect();
  // kafkajs makes one batch of all records of a partition in a send, so the limit of a partition is the limit of the send.
  return groupCommit(transport, { ...options, batchBytesMax: limits.producePartitionBytesMax });
}

class KafkajsTransport implements ProduceTransport {
  readonly #options: ProducerOptions;
  #producer: Producer | undefined;
  trouble: Error | undefined;

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
      throw kafkaError(`no broker of ${this.#options.cluster.brokers.join(', ')} answers`, error);
    }
    this.#producer = producer;
  }

  /** Topic by topic, so that a topic that is refused affects no other topic. */
  async send(batch: readonly QueuedRecord[]): Promise<void> {
    this.trouble = undefined;
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
    for (let attempt = 1; !records.every(({ settled }) => settled); attempt++) {
      try {
        if (this.#producer === undefined) await this.connect();
        await this.#producer?.send({ topic, acks: -1, messages });
        for (const queued of records) queued.settle(null);
      } catch (error) {
        this.trouble = refusalIn(error) === undefined ? (error as Error) : kafkaError(`produce to ${topic}`, error);
        const name = protocolErrorName(error) ?? '';
        // Not every broker may know a topic that was just created, so it counts as missing only after several answers.
        const absent = name === 'UNKNOWN_TOPIC_OR_PARTITION' && attempt === ABSENT_ATTEMPTS;
        const refusal = absent
          ? new KafkaSetupError(`topic ${topic} does not exist`)
          : refusalOf(name, `topic ${topic}: ${name}`);
        if (refusal instanceof RecordRefusedError && records.length > 1) {
          // One of several records may be at fault. Halves find it; they are sent one after the other, which keeps the order.
          const middle = records.length >> 1;
          await this.#sendTopic(topic, records.slice(0, middle));
          return this.#sendTopic(topic, records.slice(middle));
        }
        if (refusal !== undefined) {
          for (const queued of records) queued.settle(refusal);
          return;
        }
        // The sequence numbers of this producer are unknown now. A new producer id starts from zero.
        const broken = this.#producer;
        this.#producer = undefined;
        // This producer is replaced in any case; `trouble` has the error that broke it.
        await broken?.disconnect().catch(() => {});
        await delay(RETRY_MS);
      }
    }
  }
}

function allHeaders({ key, commonHeaders, headers }: OutgoingRecord): Record<string, string | Buffer> {
  const ofKey = Object.entries(commonHeaders?.afterKey ?? {}).map(([name, text]) => [name, `${key}${text}`]);
  return { ...commonHeaders?.fixed, ...Object.fromEntries(ofKey), ...headers };
}
