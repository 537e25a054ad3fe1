// Measures the memory of a worker in front of a backlog. Called by perf/main.ts.

import { lastJson, program, runProgram } from '../child.ts';
import type { MemoryUse } from '../load/runtime-memory.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';

/** A turn of the largest size takes the store about 10 ms; this one 100 times that. */
const TURN_SECONDS = 1;
/** More than the mailboxes hold, so that both runs are at their bounds. */
const SMALL_BACKLOG = 600_000;
const SECONDS = 30;

/** Whether memory depends on how much waits in Kafka: a large backlog beside a small one, with a store 100 times slower than normal. */
export async function benchBacklogMemory({ env }: Bench, backlog: number): Promise<Figures> {
  const use = async (topic: string, messages: number) => {
    await runProgram(program('perf/load/fill-orders.ts'), [topic, String(messages)], { env });
    const args = [topic, String(TURN_SECONDS), String(SECONDS)];
    const result = lastJson<MemoryUse>(await runProgram(program('perf/load/runtime-memory.ts'), args, { env }));
    if (result.finished === 0 || result.lag === 0)
      throw new Error(`the backlog of ${messages} was ${result.lag === 0 ? 'finished' : 'not begun'} in ${SECONDS} s`);
    return result.residentBytesMax;
  };
  const small = await use('perf-memory-small', SMALL_BACKLOG);
  const large = await use('perf-memory-large', backlog);
  return {
    backlog_memory_large_vs_small: figure(
      [large / small],
      'ratio',
      `largest resident set with ${backlog.toLocaleString('en')} messages waiting (${mib(large)}) against ${SMALL_BACKLOG.toLocaleString('en')} (${mib(small)}), each turn ${TURN_SECONDS} s in the store`,
      3,
    ),
  };
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
