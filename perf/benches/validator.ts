import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { groups, topics } from '../../contracts/topics.ts';
import { createAdmin } from '../../kafka/index.ts';
import { byAnswer, program, runProgram, startProgram } from '../child.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const ADMIN_PORT = 19_465;

/** The order-validator with everything it does (rules, fraud counters, stock, decision, event), draining a backlog of valid orders. */
export async function benchValidator({ env, messages }: Bench): Promise<Figures> {
  const orders = Math.round(messages / 2);
  await runProgram(program('perf/load/fill-raw-orders.ts'), [String(orders)], { env });
  const cluster = plainCluster((env.KAFKA_BROKERS ?? '').split(','));
  const admin = await createAdmin({ clientId: 'perf-validator', cluster });
  try {
    const ends = await admin.offsets(topics.rawOrders);
    const end = ends.reduce((sum, { latest }) => sum + latest, 0);
    const committed = async () => {
      const positions = await admin.committedOffsets(groups.orderValidator, topics.rawOrders);
      return ends.reduce((sum, { partition, earliest }) => sum + (positions.get(partition) ?? earliest), 0);
    };
    await using _worker = await startProgram(program('cli/main.ts'), ['worker', 'order-validator'], {
      env: { ...env, ORDERMESH_ADMIN_PORT: String(ADMIN_PORT), ORDERMESH_LOG_LEVEL: 'warn' },
      ready: byAnswer(`http://127.0.0.1:${ADMIN_PORT}/readyz`),
    });
    // The clock starts once the first fifth is done: threads are compiled and connections open.
    const from = await untilAtLeast(committed, end - orders * 0.8);
    const to = await untilAtLeast(committed, end);
    const rate = (to.value - from.value) / ((to.at - from.at) / 1_000);
    return {
      validator_orders_per_second: figure(
        [rate],
        'orders/s',
        `a backlog of ${orders.toLocaleString('en')} valid orders, one worker process`,
      ),
    };
  } finally {
    await admin.close();
  }
}

async function untilAtLeast(read: () => Promise<number>, goal: number): Promise<{ value: number; at: number }> {
  for (;;) {
    const value = await read();
    if (value >= goal) return { value, at: performance.now() };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
