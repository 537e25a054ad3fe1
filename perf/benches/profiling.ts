// Measures what sampling costs a role. Called by perf/main.ts.

import { lastJson, program, runProgram } from '../child.ts';
import type { Figures } from '../report.ts';
import { figure, median } from '../rounds.ts';
import type { Bench } from './bench.ts';

const TOPIC = 'perf-profiling';
/** A run must have several pairs of windows behind the time in which the compilers are busy. */
const MESSAGES_FACTOR = 24;
/** Several pairs of them fit into the time in which a quick runtime drains the topic. */
const WINDOW_S = 1;

interface Window {
  messagesPerSecond: number;
  microsecondsPerMessage: number;
}

/** The runtime with an actor that checks orders, sampled in every second window, beside the windows in between. */
export async function benchProfiling({ env, rounds, messages }: Bench): Promise<Figures> {
  const count = String(messages * MESSAGES_FACTOR);
  await runProgram(program('perf/load/fill-orders.ts'), [TOPIC, count], { env });
  const speeds: number[] = [];
  const costs: number[] = [];
  const ends: number[] = [];
  let windows = 0;
  for (let round = 0; round < rounds; round++) {
    const first = ['--first', round % 2 === 0 ? 'off' : 'on'];
    const args = [TOPIC, count, '--window', String(WINDOW_S), ...first];
    const output = await runProgram(program('perf/load/profiled-throughput.ts'), args, { env });
    const { pairs, startAndEndMs } = lastJson<{ pairs: { on: Window; off: Window }[]; startAndEndMs: number }>(output);
    if (pairs.length === 0) throw new Error(`${count} messages end before two windows of ${WINDOW_S} s`);
    speeds.push(median(pairs.map(({ on, off }) => on.messagesPerSecond / off.messagesPerSecond)));
    costs.push(median(pairs.map(({ on, off }) => on.microsecondsPerMessage / off.microsecondsPerMessage)));
    ends.push(startAndEndMs);
    windows += pairs.length;
  }
  const versus = `the same run without sampling, ${windows} pairs of windows of ${WINDOW_S} s that take turns`;
  return {
    profiled_throughput_vs_not: figure(speeds, 'ratio', versus, 3),
    profiled_cost_vs_not: figure(costs, 'ratio', `${versus}; processor time of the process for each message`, 3),
    profile_start_and_end: figure(ends, 'ms', 'nothing: processor time of all threads, once a profile'),
  };
}
