import { lastJson, program, runProgram } from '../child.ts';
import type { Figures } from '../report.ts';
import { interleave, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const TOPIC = 'perf-runtime';

interface Throughput {
  messagesPerSecond: number;
}

/** The actor runtime with an actor that only decodes, against a loop with the same parts and none of the guarantees. */
export async function benchRuntime({ env, rounds, messages }: Bench): Promise<Figures> {
  await runProgram(program('perf/load/fill-orders.ts'), [TOPIC, String(messages)], { env });
  const measure = (file: string) => async () =>
    lastJson<Throughput>(await runProgram(program(file), [TOPIC, String(messages)], { env })).messagesPerSecond;
  const { runtime, loop } = await interleave(rounds, {
    runtime: measure('perf/load/runtime-noop.ts'),
    loop: measure('perf/limits/runtime-loop.ts'),
  });
  return {
    runtime_noop_vs_bare_loop: ratioFigure(
      runtime,
      loop,
      'kafkajs, packed batches, pinned threads, JSON.parse, and no guarantees',
    ),
  };
}
