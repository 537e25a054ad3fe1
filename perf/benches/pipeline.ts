// Measures the throughput from the log to the kitchen's tickets. Called by perf/main.ts.

import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { groups, topics } from '../../contracts/topics.ts';
import { type Admin, createAdmin } from '../../kafka/index.ts';
import { program, runProgram } from '../child.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';

/** Differs from the seed of the orders of the other benchmarks. */
const SEED = 2;
const POLL_MS = 50;

/**
 * From the log to the kitchen's tickets, every role running: validated, paid by the simulated provider, and a ticket for each. Counted from
 * before the first order is in the log.
 */
export async function benchPipeline({ env, messages }: Bench): Promise<Figures> {
  const orders = Math.round(messages / 15);
  const admin = await createAdmin({
    clientId: 'perf-pipeline',
    cluster: plainCluster((env.KAFKA_BROKERS ?? '').split(',')),
  });
  try {
    const startedAt = performance.now();
    await runProgram(program('perf/load/fill-raw-orders.ts'), [String(orders), String(SEED)], { env });
    // In this order: each of them may have written what the next one reads.
    await untilRead(admin, groups.orderValidator, topics.rawOrders);
    await untilRead(admin, groups.payment, topics.validatedOrders);
    await untilRead(admin, groups.kitchen, topics.validatedOrders);
    const seconds = (performance.now() - startedAt) / 1_000;
    return {
      pipeline_orders_per_second: figure(
        [orders / seconds],
        'orders/s',
        `${orders.toLocaleString('en')} orders from the log to the kitchen's tickets, every role, server and emulator on this machine`,
      ),
    };
  } finally {
    await admin.close();
  }
}

/** Until the group has finished all that is in the topic. */
async function untilRead(admin: Admin, group: string, topic: string): Promise<void> {
  for (;;) {
    const [ends, positions] = [await admin.offsets(topic), await admin.committedOffsets(group, topic)];
    if (ends.every(({ partition, earliest, latest }) => (positions.get(partition) ?? earliest) >= latest)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
