import { pause } from '../../contracts/deadline.ts';
import { createProducer, KafkaUnavailableError, type ProducerOptions, type RecordProducer } from '../../kafka/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { stateEnded } from '../../telemetry/state-log.ts';

const RETRY_MS = 1_000;

/**
 * A producer that can be made before Kafka can be reached: until then every record fails with `KafkaUnavailableError`. So the gateway may
 * start before the brokers, and answers 503 meanwhile. Resolves after the first attempt to connect.
 * @param create makes the producer; tests give another function
 */
export async function connectingProducer(
  options: ProducerOptions,
  logger: Logger,
  create: typeof createProducer = createProducer,
): Promise<RecordProducer> {
  let reason = 'no broker has been asked yet';
  let producer = await connect();
  if (producer !== undefined) return producer;

  const stop = new AbortController();
  const connecting = (async () => {
    while (producer === undefined && !stop.signal.aborted) {
      await pause(RETRY_MS, stop.signal);
      if (!stop.signal.aborted) producer = await connect();
    }
    if (producer !== undefined) logger.info(stateEnded, 'Kafka can be reached; the gateway can append orders');
  })();

  async function connect(): Promise<RecordProducer | undefined> {
    try {
      return await create(options);
    } catch (error) {
      const { message } = error as Error;
      if (message !== reason) logger.warn({ err: error }, 'Kafka cannot be reached; trying again every second');
      reason = message;
      return undefined;
    }
  }

  const nothing = { records: 0, bytes: 0 };
  return {
    get unanswered() {
      return producer?.unanswered ?? nothing;
    },
    append(record, done) {
      if (producer === undefined) setImmediate(done, new KafkaUnavailableError(reason));
      else producer.append(record, done);
    },
    async send(records) {
      if (producer === undefined) throw new KafkaUnavailableError(reason);
      await producer.send(records);
    },
    async close() {
      stop.abort();
      await connecting;
      await producer?.close();
    },
  };
}
