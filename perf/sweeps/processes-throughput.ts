// Measures what several processes of one group carry together. Called by runtime-sweeps.ts.

import { program, runProgram, startProgram } from '../child.ts';
import type { FrontierMoved } from '../load/rebalance-member.ts';

const PARTITIONS = 12;
/** Enough for every partition to have records. */
const FEW_MESSAGES = 200 * PARTITIONS;
/** Before the first mark the topic is being filled; after the second one some partitions may have nothing left. */
const FROM_SHARE = 0.4;
const TO_SHARE = 0.95;
/** A process that has ended, or partitions that are never shared, must not hold the run. */
const REACH_MS_MAX = 60_000;
const ATTEMPTS_MAX = 20;
/** Of a partition. A slot that computes tells how far it is when it has done all that it holds, so it holds little. */
const MAILBOX_MESSAGES_MAX = 250;

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
  const progress = new Progress();
  await fill(FEW_MESSAGES);
  await using members = new AsyncDisposableStack();
  for (let member = 0; member < processes; member++)
    members.use(
      await startProgram(program('perf/load/rebalance-member.ts'), [topic, topic, actor, settings], {
        env: { ...env, ORDERMESH_SLOTS: '1', ORDERMESH_MAILBOX_MESSAGES_MAX: String(MAILBOX_MESSAGES_MAX) },
        // A process that comes later has nothing to tell until there are more messages.
        ready: async (child) => child.on('message', (moved: FrontierMoved) => progress.note(moved, member)),
      }),
    );
  // While processes join, partitions move. Whoever finishes a few more messages has the partitions now.
  let sent = FEW_MESSAGES;
  await progress.reach(sent);
  progress.forgetOwners();
  for (let attempt = 0; progress.fairOwners(processes) < processes; attempt++) {
    if (attempt === ATTEMPTS_MAX) throw new Error(`${processes} processes do not share the partitions`);
    progress.forgetOwners();
    await fill(FEW_MESSAGES);
    sent += FEW_MESSAGES;
    await progress.reach(sent);
  }
  const [fromAt, toAt] = await Promise.all([
    progress.reach(sent + FROM_SHARE * messages),
    progress.reach(sent + TO_SHARE * messages),
    fill(messages),
  ]);
  return ((TO_SHARE - FROM_SHARE) * messages) / ((toAt - fromAt) / 1_000);
}

class Progress {
  readonly #frontiers = new Map<number, number>();
  readonly #owners = new Map<number, number>();
  #goals: { at: number; resolve: (now: number) => void }[] = [];
  #finished = 0;

  note({ partition, frontier }: FrontierMoved, member: number): void {
    this.#owners.set(partition, member);
    const before = this.#frontiers.get(partition) ?? 0;
    // The next owner of a partition may begin at an earlier position than the one that was seen last.
    if (frontier <= before) return;
    this.#frontiers.set(partition, frontier);
    this.#finished += frontier - before;
    for (const { at, resolve } of this.#goals) if (this.#finished >= at) resolve(performance.now());
    this.#goals = this.#goals.filter(({ at }) => at > this.#finished);
  }

  /** When that many messages are finished, of all that were ever sent; by `performance.now()`. @throws where that takes too long */
  async reach(messages: number): Promise<number> {
    if (this.#finished >= messages) return performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#goals.push({ at: messages, resolve });
    const tooLong = () =>
      reject(new Error(`${this.#finished} of ${messages} messages after ${REACH_MS_MAX / 1_000} s`));
    const timer = setTimeout(tooLong, REACH_MS_MAX);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  forgetOwners(): void {
    this.#owners.clear();
  }

  /** Processes that have their share of the partitions, as far as these were worked on since `forgetOwners`. */
  fairOwners(processes: number): number {
    const partitions = Map.groupBy(this.#owners.values(), (member) => member);
    return [...partitions.values()].filter((owned) => owned.length >= Math.floor(PARTITIONS / processes)).length;
  }
}
