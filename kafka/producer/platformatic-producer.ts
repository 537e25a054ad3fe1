// Makes the producer that gateway and slots use.

import { Producer } from '@platformatic/kafka';
import { platformaticOptions } from '../security/client-options.ts';
import { groupCommit } from './group-commit.ts';
import { PlatformaticTransport } from './platformatic-transport.ts';
import type { ProducerOptions, RecordProducer } from './producer.ts';

/** Most bytes of one round: enough for a full batch of every partition. It limits how much is copied at once. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Creates the producer on @platformatic/kafka, with our own record encoder on its connections, metadata and producer ids. Resolves when a
 * broker has answered.
 * @throws KafkaUnavailableError when no broker answers
 */
export async function createProducer(options: ProducerOptions): Promise<RecordProducer> {
  const client = new Producer({
    clientId: options.clientId,
    ...platformaticOptions(options.cluster),
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // The client retries nothing; the transport does, because only it knows what a repetition may do.
    retries: 0,
    autocreateTopics: false,
  });
  const transport = new PlatformaticTransport(client, options.cluster);
  await transport.connect();
  return groupCommit(transport, { ...options, batchBytesMax: BATCH_BYTES_MAX });
}
