// Measures what several processes of one group carry together. Called by runtime-sweeps.ts.

import { byMessage, program, runProgram, startProgram } from '../child.ts';
import type { FrontierMoved } from '../load/rebalance-member.ts';

const PARTITIONS = 12;
/** Enough that every partition has some: a member tells of each partition that it owns. */
const FIRST_MESSAGES = 20 * PARTITIONS;
/** Before the first mark the topic is being filled; after the second one some partitions may have nothing left. */
const FROM_SHARE = 0.4;
const TO_SHARE = 0.95;

interface Setting {
  env: Record<string, string>;
  /** A new one. */
  topic: string;
  messages: number;
  processes: number;
  actor: string;
  settings: string;
}

/** Messages a second, once every process has its share of the partitions. */
export async function processesThroughput(setting: Setting): Promise<number> {
  const { env, topic, messages, processes, actor, settings } = setting;
  const fill = (count: number) => runProgram(program('perf/sweeps/fill-keys.ts'), [topic, `${count}`], { env });
  await fill(FIRST_MESSAGES);
  const progress = new Progress(processes);
  await using members = new AsyncDisposableStack();
  for (let member = 0; member < processes; member++)
    members.use(
      await startProgram(program('perf/load/rebalance-member.ts'), [topic, topic, actor, settings], {
        env: { ...env, ORDERMESH_SLOTS: '1' },
        ready: (child) => {
          child.on('message', (moved: FrontierMoved) => progress.note(moved, member));
          return byMessage(child);
        },
      }),
    );
  await progress.shared;
  const filled = fill(messages);
  const [fromAt, toAt] = await Promise.all([FROM_SHARE, TO_SHARE].map((share) => progress.reach(share * messages)));
  await filled;
  return ((TO_SHARE - FROM_SHARE) * messages) / (((toAt ?? 0) - (fromAt ?? 0)) / 1_000);
}

class Progress {
  /** Resolves when every process owns its share of the partitions. */
  readonly shared: Promise<void>;
  readonly #frontiers = new Map<number, number>();
  readonly #owners = new Map<number, number>();
  readonly #processes: number;
  readonly #isShared: () => void;
  #goals: { at: number; resolve: (now: number) => void }[] = [];
  #finished = 0;

  constructor(processes: number) {
    this.#processes = processes;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.shared = promise;
    this.#isShared = resolve;
  }

  note({ partition, frontier }: FrontierMoved, member: number): void {
    this.#owners.set(partition, member);
    const before = this.#frontiers.get(partition) ?? 0;
    // The next owner of a partition may begin at an earlier position than the one that was seen last.
    if (frontier > before) {
      this.#frontiers.set(partition, frontier);
      this.#finished += frontier - before;
    }
    if (this.#finished >= FIRST_MESSAGES && this.#hasSpread()) this.#isShared();
    for (const { at, resolve } of this.#goals) if (this.#finished >= at) resolve(performance.now());
  }

  /** When that many more messages are finished than now, by `performance.now()`. */
  reach(messages: number): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#goals.push({ at: this.#finished + messages, resolve });
    return promise;
  }

  #hasSpread(): boolean {
    const counts = Map.groupBy(this.#owners.values(), (member) => member);
    const share = Math.floor(PARTITIONS / this.#processes);
    return counts.size === this.#processes && [...counts.values()].every((owned) => owned.length >= share);
  }
}
