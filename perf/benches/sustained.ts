// Measures what the whole mesh carries while it is as busy as it can be, and what an order costs. Called by perf/main.ts.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { lastJson, program, runProgram } from '../child.ts';
import type { Outcome } from '../pipeline/outcome.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';

export interface SustainedScale {
  warmUpSeconds: number;
  /** Of a round. */
  seconds: number;
  rounds: number;
}

/** Runs on servers of its own: so that it begins cold, and its audit has only its orders to judge. @param directory for its pages */
export async function benchSustained(
  { warmUpSeconds, seconds, rounds }: SustainedScale,
  directory: string,
): Promise<Pick<Outcome, 'costs' | 'rates'> & { figures: Figures; flames: Record<string, string> }> {
  const flamesFile = path.join(directory, 'flames.json');
  const options = { 'warm-up': warmUpSeconds, seconds, rounds, flames: flamesFile };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const outcome = lastJson<Outcome>(await runProgram(program('perf/pipeline/main.ts'), args));
  const { perSecond, warmAfterSeconds, rates, costs, roundCosts, audited } = outcome;
  const whole = `every role, server, emulator and the generator on this machine; orders over HTTP, ${perSecond.length} rounds of ${seconds} s after ${warmUpSeconds} s; the audit of ${audited.toLocaleString('en')} orders found none lost, doubled or overtaken`;
  return {
    rates,
    costs,
    flames: JSON.parse(await readFile(flamesFile, 'utf8')) as Record<string, string>,
    figures: {
      pipeline_sustained_orders_per_second: figure(perSecond, 'orders/s', `tickets in the kitchen: ${whole}`),
      pipeline_warm_after_seconds: figure(
        [warmAfterSeconds],
        's',
        'full load on roles that were just started, until 95 % of the sustained rate',
        1,
      ),
      cost_us_per_order: figure(
        roundCosts.map(({ totalUs }) => totalUs),
        'µs',
        'processor time of all processes of the sustained run; the table of costs divides it',
      ),
      cost_explained: figure(
        roundCosts.map(({ explained }) => explained),
        'share',
        'part of that time that the rows of the table name',
        3,
      ),
    },
  };
}
