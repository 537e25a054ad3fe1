import { lastJson, program, runProgram } from '../child.ts';
import type { Figures } from '../report.ts';
import { interleave, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const TOPIC = 'perf-bridge';

interface Throughput {
  messagesPerSecond: number;
}

/** The bridge from Kafka to Pub/Sub against a loop that only publishes. */
export async function benchBridge({ env, rounds, messages }: Bench): Promise<Figures> {
  const events = String(Math.round(messages / 30));
  await runProgram(program('perf/load/fill-paid-orders.ts'), [TOPIC, events], { env });
  const measure = (file: string, args: string[]) => async () =>
    lastJson<Throughput>(await runProgram(program(file), args, { env })).messagesPerSecond;
  const { bridge, publish } = await interleave(rounds, {
    bridge: measure('perf/load/bridge-run.ts', [TOPIC, events]),
    publish: measure('perf/limits/pubsub-publish.ts', [events]),
  });
  return {
    bridge_vs_bare_publish: ratioFigure(
      bridge,
      publish,
      'the Pub/Sub client publishing, as many at a time, from memory',
    ),
  };
}
