// Measures how long a rebalance stops the partitions of a group. Called by perf/main.ts.

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type KafkaCluster, plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin, createProducer } from '../../kafka/index.ts';
import { byMessage, program, startProgram } from '../child.ts';
import type { FrontierMoved } from '../load/rebalance-member.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const TOPIC = 'perf-rebalance';
const GROUP = 'perf-rebalance';
const PARTITIONS = 12;
const MESSAGES_PER_SECOND = 2_400;
const TICK_MS = 20;
/** Time for a rebalance to be over. */
const SETTLE_MS = 8_000;

/** How long partitions stand still when a second process joins their group, and when it leaves it again. */
export async function benchRebalance({ env }: Bench): Promise<Figures> {
  const cluster = plainCluster((env.KAFKA_BROKERS ?? '').split(','));
  const admin = await createAdmin({ clientId: 'perf-rebalance', cluster });
  await admin.createTopics([{ topic: TOPIC, partitions: PARTITIONS, replicationFactor: 1 }]);
  await admin.close();
  await using traffic = await startTraffic(cluster);
  const progress = new Progress();
  const member = async (name: string) => {
    const started = await startProgram(program('perf/load/rebalance-member.ts'), [TOPIC, GROUP], {
      env,
      ready: (child) => {
        child.on('message', (moved: FrontierMoved) => progress.note(moved, name));
        return byMessage(child);
      },
    });
    return started;
  };
  await using _first = await member('first');
  await delay(SETTLE_MS);
  const joinsAt = Date.now();
  const second = await member('second');
  await delay(SETTLE_MS);
  const leavesAt = Date.now();
  await second[Symbol.asyncDispose]();
  await delay(SETTLE_MS);
  await traffic.stop();
  const shared = progress.partitionsOf('second');
  if (shared !== PARTITIONS / 2) throw new Error(`the second process worked on ${shared} of ${PARTITIONS} partitions`);
  const join = progress.longestPauseMs(joinsAt, leavesAt);
  const leave = progress.longestPauseMs(leavesAt, Date.now() - 1_000);
  return {
    rebalance_pause_seconds: figure(
      [Math.max(join, leave) / 1_000],
      's',
      `longest standstill of any of ${PARTITIONS} partitions under ${MESSAGES_PER_SECOND.toLocaleString('en')} messages/s: a second process joins ${join} ms, leaves ${leave} ms`,
      2,
    ),
  };
}

/** When each partition moved on, in whichever process. */
class Progress {
  readonly #frontiers = new Map<number, number>();
  readonly #moves = new Map<number, number[]>();
  /** Partitions that each process has moved on. */
  readonly #workedOn = new Map<string, Set<number>>();

  partitionsOf(member: string): number {
    return this.#workedOn.get(member)?.size ?? 0;
  }

  note({ partition, frontier, at }: FrontierMoved, member: string): void {
    // A message that is repeated after a rebalance is no progress.
    if (frontier <= (this.#frontiers.get(partition) ?? -1)) return;
    this.#frontiers.set(partition, frontier);
    this.#workedOn.set(member, (this.#workedOn.get(member) ?? new Set()).add(partition));
    const moves = this.#moves.get(partition) ?? [];
    moves.push(at);
    this.#moves.set(partition, moves);
  }

  longestPauseMs(from: number, to: number): number {
    if (this.#moves.size < PARTITIONS) throw new Error(`only ${this.#moves.size} partitions were worked on`);
    const pauses = [...this.#moves.values()].map((moves) => {
      const times = [from, ...moves.filter((at) => at > from && at < to), to];
      return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)));
    });
    return Math.max(...pauses);
  }
}

async function startTraffic(cluster: KafkaCluster): Promise<AsyncDisposable & { stop(): Promise<void> }> {
  const producer = await createProducer({ clientId: 'perf-rebalance', cluster, deadlineMs: 60_000 });
  const count = Math.round((MESSAGES_PER_SECOND * TICK_MS) / 1_000);
  let sending: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    const records = Array.from({ length: count }, () => {
      const orderId = randomUUID();
      return { topic: TOPIC, key: orderId, value: JSON.stringify({ orderId }) };
    });
    sending = Promise.all([sending, producer.send(records)]);
  }, TICK_MS);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      clearInterval(timer);
      await sending;
      await producer.close();
    })();
    return stopped;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
