// Measures the throughput of the order-validator. Called by perf/main.ts.

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
    // The clock starts once the first fifth is done: threads are compiled and connections open. Each later fifth is a round.
    const marks: Mark[] = [];
    for (const left of [0.8, 0.6, 0.4, 0.2, 0]) marks.push(await untilAtLeast(committed, end - orders * left));
    const rates = marks.slice(1).map((mark, index) => rateBetween(marks[index] ?? mark, mark));
    return {
      validator_orders_per_second: {
        ...figure(
          rates,
          'orders/s',
          `a backlog of ${orders.toLocaleString('en')} valid orders, one worker process, in fifths of which the first is not counted`,
        ),
        value: Math.round(rateBetween(marks[0] as Mark, marks.at(-1) as Mark)),
      },
    };
  } finally {
    await admin.close();
  }
}

/** How far the work is, and when, in milliseconds. */
interface Mark {
  value: number;
  at: number;
}

function rateBetween(from: Mark, to: Mark): number {
  return (to.value - from.value) / ((to.at - from.at) / 1_000);
}

async function untilAtLeast(read: () => Promise<number>, goal: number): Promise<Mark> {
  for (;;) {
    const value = await read();
    if (value >= goal) return { value, at: performance.now() };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
