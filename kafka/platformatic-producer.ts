import { Producer } from '@platformatic/kafka';
import { groupCommit, unavailable } from './group-commit.ts';
import type { ProducerOptions, RecordProducer } from './producer.ts';

/** The producer on @platformatic/kafka, the faster client of the two on this side. */
export async function createProducer(options: ProducerOptions): Promise<RecordProducer> {
  const client = new Producer<string | Buffer, Buffer | string | null, string | Buffer, string | Buffer>({
    clientId: options.clientId,
    bootstrapBrokers: options.brokers,
    idempotent: true,
    retries: 10,
    retryDelay: 500,
    autocreateTopics: false,
  });
  await client.connectToBrokers();
  return groupCommit(
    {
      async send(batch) {
        try {
          await client.send({
            acks: -1,
            messages: batch.map(({ record }) => ({
              topic: record.topic,
              key: toBuffer(record.key),
              value: record.value === null ? null : toBuffer(record.value),
              headers: bufferHeaders(record.headers),
              ...(record.partition === undefined ? {} : { partition: record.partition }),
            })) as never,
          });
        } catch (error) {
          throw unavailable((error as Error).message, error);
        }
      },
      close: async () => {
        await client.close();
      },
    },
    options,
  );
}

function toBuffer(bytes: string | Buffer): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
}

function bufferHeaders(headers: Record<string, string | Buffer> | undefined): Map<Buffer, Buffer> {
  const map = new Map<Buffer, Buffer>();
  for (const name in headers) map.set(Buffer.from(name), toBuffer(headers[name] ?? ''));
  return map;
}
