// Measures the throughput of the order-validator. Called by perf/main.ts.

import { groups, topics } from '../../contracts/topics.ts';
import { program, runProgram } from '../child.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';
import { drain } from './drain.ts';

/** The order-validator with everything it does (rules, fraud counters, stock, decision, event), draining a backlog of valid orders. */
export async function benchValidator({ env, messages }: Bench): Promise<Figures> {
  const orders = Math.round(messages / 2);
  await runProgram(program('perf/load/fill-raw-orders.ts'), [String(orders)], { env });
  const { rates, all } = await drain({
    role: 'order-validator',
    group: groups.orderValidator,
    topic: topics.rawOrders,
    env,
  });
  return {
    validator_orders_per_second: {
      ...figure(
        rates,
        'orders/s',
        `a backlog of ${orders.toLocaleString('en')} valid orders, one worker process, in fifths of which the first is not counted`,
      ),
      value: all,
    },
  };
}
