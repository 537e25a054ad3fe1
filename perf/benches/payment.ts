// Measures the throughput of the payment with a provider that takes long. Called by perf/main.ts.

import { groups, topics } from '../../contracts/topics.ts';
import { program, runProgram } from '../child.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';
import { drain } from './drain.ts';

/** Differs from the seeds of the other benchmarks: an order is paid once. */
const SEED = 5;
const PROVIDER = {
  ORDERMESH_PAYMENT_PROVIDER: 'simulated',
  ORDERMESH_PAYMENT_LATENCY_MEAN: '300ms',
  ORDERMESH_PAYMENT_LATENCY_MAX: '1500ms',
};

/** One payment process, draining a backlog of validated orders, cash among them, with a provider that answers after 300 ms on average. */
export async function benchPayment({ env, messages }: Bench): Promise<Figures> {
  const orders = Math.round(messages / 2);
  await runProgram(program('perf/load/fill-raw-orders.ts'), [String(orders), String(SEED)], { env });
  await drain({ role: 'order-validator', group: groups.orderValidator, topic: topics.rawOrders, env });
  const slow = { ...env, ...PROVIDER };
  const { rates, all } = await drain({
    role: 'payment',
    group: groups.payment,
    topic: topics.validatedOrders,
    env: slow,
  });
  const about = `a backlog of about ${orders.toLocaleString('en')} validated orders, one worker process, a provider of 300 ms on average, in fifths of which the first is not counted`;
  return { payment_orders_per_second_at_300_ms: { ...figure(rates, 'orders/s', about), value: all } };
}
