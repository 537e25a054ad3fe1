// The limits of the same work: what Kafka's own programs write and read in a second. Called by perf/benches/peers.ts.

import { loadConfig } from '../../../contracts/config/config.ts';
import { javaCommand, kafkaClassPath, userCacheDir } from '../../../stack/index.ts';
import { runCommand } from '../../child.ts';
import type { Work } from './work.ts';

const PRODUCER = ['acks=all', 'linger.ms=5', 'batch.size=131072', 'buffer.memory=134217728'];
const RECORD_BYTES = 400;

export const producerSettings = `kafka-producer-perf-test, records of ${RECORD_BYTES} bytes, ${PRODUCER.slice(0, 3).join(', ')}`;
export const consumerSettings = 'kafka-consumer-perf-test as it comes, from its first fetch';

/** @returns records per second that are only written, by Kafka's count */
export async function producerPerfTest({ brokers, to, records }: Work): Promise<number> {
  const limits = ['--num-records', String(records), '--record-size', String(RECORD_BYTES), '--throughput', '-1'];
  const servers = ['--bootstrap-server', brokers, '--command-property', ...PRODUCER];
  const output = await runTool('ProducerPerformance', ['--topic', to, ...limits, ...servers]);
  return numberIn(/([\d.]+) records\/sec/, output.trim().split('\n').at(-1) ?? '');
}

/** @returns records per second that are only read, without the time of the first join */
export async function consumerPerfTest({ brokers, from, records }: Work): Promise<number> {
  const args = ['--bootstrap-server', brokers, '--topic', from, '--num-records', String(records), '--hide-header'];
  // The last column is fetch.nMsg.sec.
  return numberIn(/, ([\d.]+)$/, (await runTool('ConsumerPerformance', args)).trim());
}

async function runTool(name: string, args: string[]): Promise<string> {
  const classPath = await kafkaClassPath(await userCacheDir(loadConfig()));
  return await runCommand(javaCommand(), ['-cp', classPath, `org.apache.kafka.tools.${name}`, ...args]);
}

function numberIn(pattern: RegExp, text: string): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`Kafka's program printed no rate: ${text}`);
  return Number(found);
}
