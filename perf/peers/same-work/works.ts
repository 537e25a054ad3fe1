// The topics of the same work, and one run of a competitor. Used by perf/benches/peers.ts and the test of the programs.

import { plainCluster } from '../../../contracts/config/kafka-cluster.ts';
import { createAdmin } from '../../../kafka/index.ts';
import { lastJson, program, runCommand, runProgram } from '../../child.ts';
import { judgeOutput } from './judge.ts';
import { argumentsOf, PARTITIONS, type Work, type WorkResult } from './work.ts';

/** About half of the orders are below it. */
const TOTAL_LIMIT = 2_500;

/** An input for each number of records, and an output of its own for each run. */
export class Works {
  readonly #brokers: string;
  readonly #prefix: string;
  readonly #inputs = new Map<number, string>();
  #outputs = 0;

  constructor(brokers: string, prefix: string) {
    this.#brokers = brokers;
    this.#prefix = prefix;
  }

  /** Fills the input the first time. */
  async of(records: number): Promise<Work> {
    const from = `${this.#prefix}-${records}`;
    if (!this.#inputs.has(records)) {
      await runProgram(program('perf/peers/same-work/fill.ts'), [this.#brokers, from, String(records)]);
      this.#inputs.set(records, from);
    }
    return { brokers: this.#brokers, from, to: '', records, totalLimit: TOTAL_LIMIT };
  }

  /** @throws an error when the program fails, or its output is not exactly one right decision about each event, in order */
  run([command = '', ...args]: readonly string[], work: Work, env: Record<string, string>): Promise<WorkResult> {
    return this.withOutput(work, async (withOutput) => {
      const output = await runCommand(command, [...args, ...argumentsOf(withOutput)], { env });
      await judgeOutput(withOutput);
      return lastJson<WorkResult>(output);
    });
  }

  async withOutput<T>(work: Work, use: (work: Work) => Promise<T>): Promise<T> {
    const to = `${this.#prefix}-decisions-${this.#outputs++}`;
    await this.#withAdmin((admin) => admin.createTopics([{ topic: to, partitions: PARTITIONS, replicationFactor: 1 }]));
    try {
      return await use({ ...work, to });
    } finally {
      await this.#withAdmin((admin) => admin.deleteTopics([to]));
    }
  }

  async close(): Promise<void> {
    await this.#withAdmin((admin) => admin.deleteTopics([...this.#inputs.values()]));
  }

  async #withAdmin(use: (admin: Awaited<ReturnType<typeof createAdmin>>) => Promise<unknown>): Promise<void> {
    const admin = await createAdmin({
      clientId: 'perf-same-work',
      cluster: plainCluster(this.#brokers.split(',')),
    });
    await use(admin).finally(() => admin.close());
  }
}
