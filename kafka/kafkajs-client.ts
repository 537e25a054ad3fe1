import './kafkajs-codecs.ts';
import './kafkajs-internals.ts';
import { Kafka, logLevel } from 'kafkajs';

/** One kafkajs client. Its own log is off: what went wrong reaches the owner as errors and events. */
export function kafkajsClient(options: { clientId: string; brokers: string[] }): Kafka {
  return new Kafka({
    clientId: options.clientId,
    brokers: options.brokers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { retries: 5, initialRetryTime: 200, maxRetryTime: 2_000 },
  });
}
