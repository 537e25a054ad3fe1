// Measures the throughput of the actor runtime. Called by perf/main.ts.

import { lastJson, program, runProgram } from '../child.ts';
import { buildParallelConsumer, type ParallelConsumerSettings } from '../peers/parallel-consumer/build.ts';
import type { Figures } from '../report.ts';
import { interleave, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const TOPIC = 'perf-runtime';
const PEER_TOPIC = 'perf-parallel-consumer';

/** As the library comes: 16 records at a time, each in a call of its own. */
const peerDefault: ParallelConsumerSettings = { engine: 'threads', concurrency: 16, batch: 1 };
/** The fastest settings found for calls of one record, which is how our actor decodes. */
const peerTuned: ParallelConsumerSettings = { engine: 'threads', concurrency: 1_000, batch: 1 };
/** The fastest settings found for records that wait for a timer: its reactor variant, in calls of up to 100 records of different keys. */
const peerAsync: ParallelConsumerSettings = { engine: 'reactor', concurrency: 5_000, batch: 100 };
/** Messages that wait at a time in one of our threads. */
const PREPARES_MAX = 5_000;

/** A message of the no-op actor takes a few microseconds, so it needs more messages until the start no longer matters. */
const NOOP_FACTOR = 2;
const CPU_MS = 0.2;
/** Messages of a partition in memory: enough for this work, and few enough that fetching them is not half of a short run. */
const CPU_MAILBOX_MESSAGES_MAX = 4_000;

/** The actor runtime beside a loop with the same parts and none of the guarantees, beside Parallel Consumer, and beside itself on one thread. */
export async function benchRuntime(bench: Bench): Promise<Figures> {
  await runProgram(program('perf/load/fill-orders.ts'), [TOPIC, String(bench.messages * NOOP_FACTOR)], {
    env: bench.env,
  });
  return { ...(await benchNoop(bench)), ...(await benchCpuBound(bench)) };
}

export async function benchNoop({ env, rounds, messages }: Bench): Promise<Figures> {
  const peer = await buildParallelConsumer(env.KAFKA_BROKERS ?? '');
  const noop = () => throughput('perf/load/runtime-throughput.ts', messages * NOOP_FACTOR, { env });
  const bare = await interleave(rounds, {
    runtime: noop,
    loop: () => throughput('perf/limits/runtime-loop.ts', messages * NOOP_FACTOR, { env }),
  });
  const { runtime, standard } = await interleave(Math.floor(rounds / 2), {
    runtime: noop,
    standard: () => peer.measure(TOPIC, messages / 6, peerDefault),
  });
  return {
    runtime_noop_vs_bare_loop: ratioFigure(
      bare.runtime,
      bare.loop,
      'kafkajs, packed batches, pinned threads, JSON.parse, and no guarantees',
    ),
    runtime_noop_vs_parallel_consumer: ratioFigure(
      runtime,
      standard,
      `Parallel Consumer ${peer.version}, order per key, as it comes: ${described(peerDefault)}; it decodes nothing`,
    ),
  };
}

/** The runtime beside Parallel Consumer at its best: with no work, and with work that waits for another system, at the best concurrency of both. */
export async function benchParallelConsumer({ env, rounds, messages }: Bench): Promise<Figures> {
  await runProgram(program('perf/load/fill-orders.ts'), [PEER_TOPIC, String(messages * NOOP_FACTOR)], { env });
  const peer = await buildParallelConsumer(env.KAFKA_BROKERS ?? '');
  const { runtime, tuned } = await interleave(Math.floor(rounds / 2), {
    runtime: () => throughput('perf/load/runtime-throughput.ts', messages * NOOP_FACTOR, { topic: PEER_TOPIC, env }),
    tuned: () => peer.measure(PEER_TOPIC, messages / 2, peerTuned),
  });
  const figures: Figures = {
    runtime_noop_vs_parallel_consumer_tuned: ratioFigure(
      runtime,
      tuned,
      `Parallel Consumer ${peer.version}, order per key, at its best: ${described(peerTuned)}; it decodes nothing`,
    ),
  };
  for (const waitMs of [1, 10]) {
    const { runtime, theirs } = await interleave(Math.floor(rounds / 2), {
      runtime: () =>
        throughput('perf/load/runtime-throughput.ts', messages / 2, {
          topic: PEER_TOPIC,
          env: { ...env, ORDERMESH_PREPARES_MAX: String(PREPARES_MAX) },
          args: ['--actor', 'async', '--settings', JSON.stringify({ waitMs })],
        }),
      theirs: () => peer.measure(PEER_TOPIC, messages / 2, peerAsync, waitMs),
    });
    figures[`runtime_async_${waitMs}ms_vs_parallel_consumer`] = ratioFigure(
      runtime,
      theirs,
      `each order waits ${waitMs} ms, ${PREPARES_MAX} at a time in each of our threads; Parallel Consumer at its best: ${described(peerAsync)}`,
    );
  }
  return figures;
}

/** Whether a second thread doubles the throughput: the same computing actor in two threads and in one. */
export async function benchCpuBound({ env, seconds, rounds }: Bench): Promise<Figures> {
  const calibration = await runProgram(program('perf/load/calibrate-cpu.ts'), [String(CPU_MS)]);
  const { steps } = lastJson<{ steps: number }>(calibration);
  const measure = (slots: number) => () =>
    throughput('perf/load/runtime-throughput.ts', Math.round((slots * seconds * 1_000) / CPU_MS), {
      env: {
        ...env,
        ORDERMESH_SLOTS: String(slots),
        ORDERMESH_MAILBOX_MESSAGES_MAX: String(CPU_MAILBOX_MESSAGES_MAX),
      },
      args: ['--actor', 'cpu', '--settings', JSON.stringify({ steps })],
    });
  const { two, one } = await interleave(rounds, { two: measure(2), one: measure(1) });
  return {
    cpu_bound_two_slots_vs_one: ratioFigure(
      two,
      one,
      `one slot, an actor that computes for ${CPU_MS * 1_000} µs an order (${steps.toLocaleString('en')} steps of xorshift)`,
    ),
  };
}

async function throughput(
  file: string,
  messages: number,
  { topic = TOPIC, env, args = [] }: { topic?: string; env: Record<string, string>; args?: string[] },
): Promise<number> {
  const output = await runProgram(program(file), [topic, String(messages), ...args], { env });
  return lastJson<{ messagesPerSecond: number }>(output).messagesPerSecond;
}

function described({ engine, concurrency, batch }: ParallelConsumerSettings): string {
  return `${engine}, ${concurrency} at a time, ${batch === 1 ? 'one record' : `up to ${batch} records`} a call`;
}
