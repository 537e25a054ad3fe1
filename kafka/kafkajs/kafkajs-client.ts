import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import './kafkajs-codecs.ts';
import './kafkajs-fetch-answers.ts';
import './kafkajs-frames.ts';
import './kafkajs-internals.ts';
import { type ISocketFactory, Kafka, logLevel } from 'kafkajs';
import type { Log } from '../log.ts';
import { kafkajsOptions } from '../security/client-options.ts';
import { kafkajsLog } from './kafkajs-log.ts';

/** Options of every kafkajs client in this room. */
export interface KafkajsClientOptions {
  clientId: string;
  cluster: KafkaCluster;
  /** Gets kafkajs's warnings. Without it, the owner learns of problems by errors and events only. */
  log?: Log | undefined;
  requestTimeoutMs?: number;
  socketFactory?: ISocketFactory;
}

/** Makes a kafkajs client with our corrections of kafkajs (the imports above apply them) and our time limits. */
export function kafkajsClient(options: KafkajsClientOptions): Kafka {
  const { clientId, cluster, log, requestTimeoutMs = 10_000, socketFactory } = options;
  return new Kafka({
    clientId,
    ...kafkajsOptions(cluster),
    ...(log === undefined ? { logLevel: logLevel.NOTHING } : kafkajsLog(log)),
    connectionTimeout: 3_000,
    requestTimeout: requestTimeoutMs,
    retry: { retries: 5, initialRetryTime: 200, maxRetryTime: 2_000 },
    ...(socketFactory === undefined ? {} : { socketFactory }),
  });
}
