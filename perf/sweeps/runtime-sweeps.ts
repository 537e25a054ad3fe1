// Measures the runtime at several numbers of slots, processes and partitions, sizes of messages and batches, and skews of keys. Called by perf/main.ts.

import { randomUUID } from 'node:crypto';
import type { Bench } from '../benches/bench.ts';
import { benchValidator } from '../benches/validator.ts';
import { lastJson, program, runProgram } from '../child.ts';
import { processesThroughput } from './processes-throughput.ts';
import { fitScalability } from './scalability-law.ts';
import type { SweepScale } from './scales.ts';
import { measurePoints, middleOf, type Sweep } from './sweep.ts';

/** Computing for a fraction of a millisecond a message is what the actors of this project do. */
const CPU_MS = 0.05;
const WAIT_MS = 1;
/** The key that comes most often has a queue of its own: few messages are enough, and more take long. */
const SKEW_SHARE = 0.1;
const TOPIC = 'perf-sweep';

interface Plan extends Pick<Sweep, 'title' | 'x' | 'versus'> {
  name: string;
  settings: readonly number[];
  /** Whether the settings are numbers of workers. */
  hasLaw?: boolean;
  /** Fills the topic that `measure` reads. Plans that read the same messages share a topic. */
  prepare?(x: number): Promise<unknown>;
  measure(x: number): Promise<number>;
}

export async function sweepRuntime(bench: Bench, scale: SweepScale): Promise<void> {
  const calibration = await runProgram(program('perf/load/calibrate-cpu.ts'), [String(CPU_MS)]);
  const { steps } = lastJson<{ steps: number }>(calibration);
  for (const plan of plansOf(bench, scale, steps)) {
    if (plan.settings.length === 0) continue;
    try {
      bench.onSweep?.(plan.name, await sweepOf(plan, scale.rounds));
    } catch (error) {
      console.error(`${plan.name} is left out: ${(error as Error).message}`);
    }
  }
}

async function sweepOf(plan: Plan, rounds: number): Promise<Sweep> {
  const { settings, title, x, versus, hasLaw = false, prepare, measure } = plan;
  for (const setting of settings) await prepare?.(setting);
  const points = await measurePoints(rounds, settings, measure);
  const scaling = points.map((point) => ({ workers: point.x, perSecond: middleOf(point) }));
  const law = hasLaw ? { law: fitScalability(scaling) } : {};
  return { title, x, unit: 'messages/s', versus, series: [{ name: 'runtime', points }], ...law };
}

/** @param steps that the computing actor needs for its time */
function plansOf(bench: Bench, scale: SweepScale, steps: number): Plan[] {
  const { env } = bench;
  const { messages } = scale;
  const few = Math.round(messages * SKEW_SHARE);
  const filled = new Map<string, Promise<string>>();
  /** A topic with messages of these options, filled once. */
  const topicOf = (count: number, ...options: string[]): Promise<string> => {
    const topic = [TOPIC, count, ...options.map((option) => option.replace(/^--/, ''))].join('-');
    const known = filled.get(topic);
    if (known !== undefined) return known;
    const args = [topic, String(count), ...options];
    const filling = runProgram(program('perf/sweeps/fill-keys.ts'), args, { env }).then(() => topic);
    filled.set(topic, filling);
    return filling;
  };
  const cpu = { actor: 'cpu', settings: JSON.stringify({ steps }) };
  const computes = `an actor that computes for ${CPU_MS * 1_000} µs a message`;
  return [
    {
      name: 'runtime_by_slots',
      title: 'Runtime by slots',
      x: 'slots',
      versus: `${computes}, 12 partitions`,
      settings: scale.slots,
      hasLaw: true,
      prepare: () => topicOf(messages),
      measure: async (slots) =>
        throughput(await topicOf(messages), messages, { env: { ...env, ORDERMESH_SLOTS: `${slots}` }, ...cpu }),
    },
    {
      name: 'runtime_by_processes',
      title: 'Runtime by processes',
      x: 'processes',
      versus: `${computes}, processes of one slot that share 12 partitions`,
      settings: scale.processes,
      hasLaw: true,
      measure: (processes) =>
        processesThroughput({ env, topic: `${TOPIC}-${randomUUID()}`, messages, processes, ...cpu }),
    },
    {
      name: 'runtime_by_partitions',
      title: 'Runtime by partitions',
      x: 'partitions',
      versus: computes,
      settings: scale.partitions,
      prepare: (partitions) => topicOf(messages, '--partitions', `${partitions}`),
      measure: async (partitions) =>
        throughput(await topicOf(messages, '--partitions', `${partitions}`), messages, { env, ...cpu }),
    },
    {
      name: 'runtime_by_message_size',
      title: 'Runtime by size of a message',
      x: 'bytes',
      versus: 'an actor that parses the message',
      settings: scale.bytes,
      prepare: (bytes) => topicOf(messages, '--bytes', `${bytes}`),
      measure: async (bytes) =>
        throughput(await topicOf(messages, '--bytes', `${bytes}`), messages, { env, actor: 'noop' }),
    },
    {
      name: 'runtime_by_key_skew',
      title: 'Runtime by skew of keys',
      x: "exponent of Zipf's law",
      versus: `an actor that waits ${WAIT_MS} ms for each message, in the order of its key; five events a key on average`,
      settings: scale.skews,
      prepare: (skew) => topicOf(few, '--skew', `${skew}`),
      measure: async (skew) =>
        throughput(await topicOf(few, '--skew', `${skew}`), few, {
          env,
          actor: 'async',
          settings: `{"waitMs":${WAIT_MS}}`,
        }),
    },
    {
      name: 'validator_by_batch_size',
      title: 'Order-validator by batch size',
      x: 'orders of a transaction at most',
      versus: 'a backlog of valid orders, one process',
      settings: scale.turns,
      measure: async (turn) => {
        const sized = { ...bench, messages, env: { ...env, ORDERMESH_TURN_SIZE_MAX: `${turn}` } };
        return (await benchValidator(sized)).validator_orders_per_second?.value ?? Number.NaN;
      },
    },
  ];
}

async function throughput(
  topic: string,
  messages: number,
  { env, actor, settings = 'null' }: { env: Record<string, string>; actor: string; settings?: string },
): Promise<number> {
  const args = [topic, String(messages), '--actor', actor, '--settings', settings];
  const output = await runProgram(program('perf/load/runtime-throughput.ts'), args, { env });
  return lastJson<{ messagesPerSecond: number }>(output).messagesPerSecond;
}
