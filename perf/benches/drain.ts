// How fast one worker process drains a backlog. Used by the benchmarks of the order-validator and of the payment.

import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin } from '../../kafka/index.ts';
import { byAnswer, program, startProgram } from '../child.ts';

const ADMIN_PORT = 19_465;
const POLL_MS = 50;

export interface Backlog {
  role: 'order-validator' | 'payment';
  group: string;
  topic: string;
  env: Record<string, string>;
}

/** How far the work is, and when, in milliseconds. */
interface Mark {
  value: number;
  at: number;
}

/**
 * Starts the worker and waits until the group has finished what is in the topic now. The clock starts once the first fifth is done: threads
 * are compiled and connections open. Each later fifth is a round.
 * @returns messages a second: of each round, and of all of them
 */
export async function drain({ role, group, topic, env }: Backlog): Promise<{ rates: number[]; all: number }> {
  const cluster = plainCluster((env.KAFKA_BROKERS ?? '').split(','));
  const admin = await createAdmin({ clientId: `perf-${role}`, cluster });
  try {
    const ends = await admin.offsets(topic);
    const end = ends.reduce((sum, { latest }) => sum + latest, 0);
    const committed = async () => {
      const positions = await admin.committedOffsets(group, topic);
      // What the worker itself writes to the topic does not count.
      return ends.reduce(
        (sum, { partition, earliest, latest }) => sum + Math.min(positions.get(partition) ?? earliest, latest),
        0,
      );
    };
    const backlog = end - (await committed());
    await using _worker = await startProgram(program('cli/main.ts'), ['worker', role], {
      env: { ...env, ORDERMESH_ADMIN_PORT: String(ADMIN_PORT), ORDERMESH_LOG_LEVEL: 'warn' },
      ready: byAnswer(`http://127.0.0.1:${ADMIN_PORT}/readyz`),
    });
    const marks: Mark[] = [];
    for (const left of [0.8, 0.6, 0.4, 0.2, 0]) marks.push(await untilAtLeast(committed, end - backlog * left));
    const rates = marks.slice(1).map((mark, index) => rateBetween(marks[index] ?? mark, mark));
    return { rates, all: Math.round(rateBetween(marks[0] as Mark, marks.at(-1) as Mark)) };
  } finally {
    await admin.close();
  }
}

function rateBetween(from: Mark, to: Mark): number {
  return (to.value - from.value) / ((to.at - from.at) / 1_000);
}

async function untilAtLeast(read: () => Promise<number>, goal: number): Promise<Mark> {
  for (;;) {
    const value = await read();
    if (value >= goal) return { value, at: performance.now() };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
