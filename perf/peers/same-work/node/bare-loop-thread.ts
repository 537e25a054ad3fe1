/** The thread of the bare loop of the same work: decides each value of a packed batch, and waits until its decisions are acknowledged. */

import { workerData } from 'piscina';
import { plainCluster } from '../../../../contracts/config/kafka-cluster.ts';
import { createProducer, type OutgoingRecord } from '../../../../kafka/index.ts';
import { eachPacked } from '../../../limits/packed-batch.ts';
import { decideValue, type Work } from '../work.ts';

const { brokers, to, totalLimit } = workerData as Work;
const producer = await createProducer({
  clientId: 'bare-loop',
  cluster: plainCluster(brokers.split(',')),
  deadlineMs: 60_000,
});

// biome-ignore lint/style/noDefaultExport: a worker entry is its module's default.
export default async function decideBatch(buffer: ArrayBuffer | null): Promise<void> {
  if (buffer === null) return;
  const decisions: OutgoingRecord[] = [];
  eachPacked(buffer, (key, value) => decisions.push({ topic: to, key, value: decideValue(value, totalLimit) }));
  await producer.send(decisions);
}
