import { Producer } from '@platformatic/kafka';
import { groupCommit } from './group-commit.ts';
import { PlatformaticTransport } from './platformatic-transport.ts';
import type { ProducerOptions, RecordProducer } from './producer.ts';

/** Bytes of one round: it may fill a batch of every partition, and no more is copied at once. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * The producer on @platformatic/kafka: its connections, metadata and producer ids, with a record encoder of our own.
 * Resolves when a broker has answered.
 * @throws KafkaUnavailableError when none does.
 */
export async function createProducer(options: ProducerOptions): Promise<RecordProducer> {
  const client = new Producer({
    clientId: options.clientId,
    bootstrapBrokers: options.brokers,
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Every retry is the transport's: it knows what a repetition may do.
    retries: 0,
    autocreateTopics: false,
  });
  const transport = new PlatformaticTransport(client);
  await transport.connect(options.brokers);
  return groupCommit(transport, { ...options, batchBytesMax: BATCH_BYTES_MAX });
}
