// Measures the throughput from the log to the kitchen's tickets. Called by perf/main.ts.

import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin } from '../../kafka/index.ts';
import { program, runProgram } from '../child.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import { workedOff } from '../worked-off.ts';
import type { Bench } from './bench.ts';

/** Differs from the seed of the orders of the other benchmarks. */
const SEED = 2;

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
    await workedOff(admin);
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
