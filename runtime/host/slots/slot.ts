// One slot as the main thread sees it: starts, watches and ends its thread, and sends it tasks.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { settlesWithin } from '../../../contracts/deadline.ts';
import type { MetricsSnapshot } from '../../../telemetry/metrics.ts';
import { nameThread } from '../../../telemetry/profiling/live-workers.ts';
import { threadSizes } from '../../../telemetry/stages/batch-sizes.ts';
import { stage } from '../../../telemetry/stages/stage.ts';
import { sharedNow, threadStages } from '../../../telemetry/stages/stage-clock.ts';
import { systemTimers } from '../../timers.ts';
import { packedCount } from '../../wire/batch-codec.ts';
import { Pulse } from '../../wire/pulse.ts';
import type {
  DrainedPartition,
  OpenPartition,
  PartitionBatch,
  SlotOptions,
  SlotReport,
  SlotTask,
  ThreadMessage,
} from '../../wire/slot-protocol.ts';
import type { SlotView } from '../../wire/slot-view.ts';
import { SuspectRecord } from '../../wire/suspects.ts';
import { SilenceError, SlotDeathError } from './slot-death.ts';

const threadModule = new URL('../../slot/slot-thread.ts', import.meta.url).href;

/** A thread that doesn't answer a scrape in time, because its actor computes, is left out of the scrape. */
const ANSWER_TIMEOUT_MS = 2_000;

const SILENCE_MS_MAX = 30_000;
const BEATS_PER_SILENCE = 10;
const LATE_BEATS = 5;

export interface SlotListener {
  onReport(report: SlotReport): void;
  /** The thread died: all its pending calls are rejected, and everything in it is lost. Called once for each `start`. */
  onDeath(error: SlotDeathError): void;
}

/**
 * The main thread's side of one slot: a Piscina with exactly one thread, so that the state of a partition is in one place. `atomics` are
 * disabled because the thread's own sockets and timers must run between tasks.
 */
export class Slot {
  readonly index: number;
  readonly #options: SlotOptions;
  readonly #listener: SlotListener;
  readonly #memoryMbMax: number | undefined;
  readonly #silenceMsMax: number;
  readonly #suspects = new SuspectRecord();
  #pulse: Pulse | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #pool: Piscina | undefined;
  #reports: MessagePort | undefined;
  #running = false;
  #batches: PartitionBatch[] = [];

  /**
   * @param silenceMsMax a thread whose event loop stands still for longer is ended like a dead one, and so is a thread that takes longer to
   *   create its actor
   */
  constructor(options: SlotOptions, listener: SlotListener, memoryMbMax?: number, silenceMsMax = SILENCE_MS_MAX) {
    this.#silenceMsMax = silenceMsMax;
    this.index = options.slot;
    this.#options = options;
    this.#listener = listener;
    this.#memoryMbMax = memoryMbMax;
  }

  /** Whether the thread accepts work. */
  get running(): boolean {
    return this.#running;
  }

  /** Starts the thread, or replaces a dead one. Rejects when the actor or its connections can't start. */
  async start(): Promise<void> {
    const pool = new Piscina({
      filename: threadModule,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1_000_000,
      atomics: 'disabled',
      idleTimeout: Number.POSITIVE_INFINITY,
      ...(this.#memoryMbMax === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: this.#memoryMbMax } }),
    });
    this.#pool = pool;
    for (const worker of pool.threads) nameThread(worker, `slot ${this.index}`);
    // A thread that dies while it has no task rejects nothing. The task `live` makes sure that there is always one.
    pool.on('error', (error: Error) => this.#died(pool, error));
    const { port1, port2 } = new MessageChannel();
    this.#reports = port1;
    port1.on('message', (message: ThreadMessage) => {
      if (this.#pool !== pool) return;
      if (message.kind === 'cleared') this.#suspects.clear(message.place);
      else if (message.kind === 'parked') this.#suspects.parked(message.place);
      else this.#listener.onReport(message);
    });
    const { turnSizeMax, turnsMax, preparesMax } = this.#options.limits;
    const pulse = Pulse.create(turnSizeMax * turnsMax + preparesMax);
    this.#pulse = pulse;
    const beatMs = this.#silenceMsMax / BEATS_PER_SILENCE;
    const watch = { pulse: pulse.memory, beatMs, startMsMax: this.#silenceMsMax, suspects: this.#suspects.all };
    const silent = Promise.withResolvers<never>();
    // After this race the thread can fall silent only while it stops, and `stop` has a time limit of its own.
    silent.promise.catch(() => {});
    this.#watch(pulse, beatMs, (error) => {
      if (this.#running) this.#died(pool, error);
      else
        silent.reject(new Error(`${this.#options.actorModule} or its createActor() never returned: ${error.message}`));
    });
    try {
      const task: SlotTask = { kind: 'start', options: this.#options, reports: port2, watch };
      await Promise.race([pool.run(task, { transferList: [port2] }), silent.promise]);
    } catch (error) {
      this.#discard(pool);
      const { reason, message } = new SlotDeathError(error, []);
      if (reason === 'error' || reason === 'silence') throw error;
      throw new Error(`${this.#options.actorModule} ended its thread while it started: ${message}`, { cause: error });
    }
    if (this.#pool !== pool) throw new Error('the slot was stopped while it started');
    this.#running = true;
    pool.run({ kind: 'live' } satisfies SlotTask).catch((error: Error) => this.#died(pool, error));
  }

  open(partitions: OpenPartition[]): Promise<void> {
    const entered = partitions.map((opened) => ({
      ...opened,
      isAnotherLog: this.#suspects.enter(opened.partition, opened.log ?? 0),
    }));
    return this.#run({ kind: 'open', partitions: entered });
  }

  /** Hands a batch over; its buffer is transferred to the thread. The partitions of one fetch are sent to the thread together. */
  take(batch: PartitionBatch): void {
    if (!this.#running) return;
    this.#batches.push(batch);
    if (this.#batches.length === 1) setImmediate(() => this.#flush());
  }

  drain(partitions: number[]): Promise<DrainedPartition[]> {
    return this.#run({ kind: 'drain', partitions });
  }

  close(partitions: number[]): void {
    // This fails only when the thread dies, and a dead thread holds no partitions. `#died` reports the death.
    if (this.#running) this.#run({ kind: 'close', partitions }).catch(() => {});
  }

  async metrics(): Promise<MetricsSnapshot> {
    return (await this.#ask<MetricsSnapshot>({ kind: 'metrics' })) ?? [];
  }

  view(): Promise<SlotView | undefined> {
    return this.#ask<SlotView>({ kind: 'view' });
  }

  /** Undefined when the thread doesn't run or can't answer in time. */
  async #ask<T>(task: SlotTask): Promise<T | undefined> {
    if (!this.#running) return undefined;
    let answer: T | undefined;
    const asked = this.#run<T>(task).then((given) => {
      answer = given;
    });
    await settlesWithin(systemTimers, ANSWER_TIMEOUT_MS, asked);
    return answer;
  }

  /**
   * Closes the actor and its connections, then ends the thread. After `timeoutMs` the thread is ended in any case.
   * @throws after the thread has ended, if something did not close
   */
  async stop(timeoutMs: number): Promise<void> {
    const pool = this.#pool;
    if (pool === undefined) return;
    let failure: unknown;
    if (this.#running) {
      this.#running = false;
      failure = new Error(`the actor and its connections did not close within ${timeoutMs} ms`);
      const stopped = pool.run({ kind: 'stop' } satisfies SlotTask).then(
        () => {
          failure = undefined;
        },
        (error: unknown) => {
          failure = error;
        },
      );
      await settlesWithin(systemTimers, timeoutMs, stopped);
    }
    await this.#discard(pool);
    if (failure !== undefined) throw failure;
  }

  #flush(): void {
    const batches = this.#batches;
    const pool = this.#pool;
    if (batches.length === 0 || pool === undefined) return;
    this.#batches = [];
    const records = batches.reduce((sum, { buffer }) => sum + packedCount(buffer), 0);
    // Until the promises of this callback have run: Piscina sends the task in one of them.
    threadStages.at(stage.transfer);
    threadStages.passed(stage.transfer, records);
    threadSizes.transferRecords.observe(records);
    const task: SlotTask = { kind: 'batches', batches, sentAt: sharedNow() };
    pool
      .run(task, { transferList: batches.map(({ buffer }) => buffer) })
      .catch((error: Error) => this.#died(pool, error));
  }

  async #run<T>(task: SlotTask): Promise<T> {
    if (this.#pool === undefined) throw new Error(`slot ${this.index} is not running`);
    // Batches that were taken before this task must reach the thread before it.
    this.#flush();
    return await this.#pool.run(task);
  }

  #died(pool: Piscina, error: Error): void {
    if (this.#pool !== pool || !this.#running) return;
    const atWork = this.#pulse?.atWork ?? [];
    this.#suspects.blame(atWork);
    this.#discard(pool);
    this.#listener.onDeath(new SlotDeathError(error, atWork));
  }

  /** Watches the thread's pulse. A thread in an endless loop answers no request, so only another thread can notice it. */
  #watch(pulse: Pulse, beatMs: number, onSilent: (error: Error) => void): void {
    let beats = pulse.beats;
    let checkedAt = performance.now();
    let silentMs = 0;
    this.#watchdog = setInterval(() => {
      const now = performance.now();
      const elapsedMs = now - checkedAt;
      checkedAt = now;
      // A late check shows that this whole process stood still, so the thread is not to blame. Without a first beat the thread is still
      // loading.
      if (pulse.beats !== beats || beats === 0 || elapsedMs > beatMs * LATE_BEATS) silentMs = 0;
      else silentMs += elapsedMs;
      beats = pulse.beats;
      if (silentMs > this.#silenceMsMax) onSilent(new SilenceError(silentMs));
    }, beatMs);
    this.#watchdog.unref();
  }

  async #discard(pool: Piscina): Promise<void> {
    if (this.#pool === pool) {
      this.#pool = undefined;
      clearInterval(this.#watchdog);
      this.#batches = [];
      this.#running = false;
      this.#reports?.close();
    }
    await pool.destroy();
  }
}
