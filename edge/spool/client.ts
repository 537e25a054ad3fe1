// The spool for the main thread of the agent; thread.ts does the work. Opened by edge.ts.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { withDeadline } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import { nameThread } from '../../telemetry/profiling/live-workers.ts';
import type { BatchQuery, NewOrder, Outcome, Settlement, SpoolCounts, SpooledBatch, SpooledOrder } from './order.ts';
import { type Answer, packCommit, type SpoolCalls } from './protocol.ts';
import { SpoolFullError, type SpoolOptions } from './spool.ts';
import type { Shelf, ShelfChanges } from './ticket-shelf.ts';

export interface SpoolClientOptions extends SpoolOptions {
  /** A commit that the disk has not finished by then fails; its orders may be kept nevertheless. */
  deadlineMs: number;
  onSalvage?(report: string): void;
  /** The thread ended by itself: the spool can keep nothing any more. */
  onDeath?(error: Error): void;
}

type Done = (error: Error | null, outcome?: Outcome) => void;

interface Waiting {
  order: NewOrder;
  done: Done;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The disk did not answer in time. */
export class SpoolStalledError extends Error {
  override name = 'SpoolStalledError';
}

/**
 * The spool as the agent's main thread sees it. Group commit: orders that come during a commit gather for the next one. So the disk is never idle while
 * an order waits, and at low load an order waits for one fsync only.
 */
export class SpoolClient {
  readonly #worker: Worker;
  readonly #options: SpoolClientOptions;
  readonly #pending = new Map<number, Pending>();
  #orders: Waiting[] = [];
  #settlements: { list: Settlement[]; pending: Pending }[] = [];
  #committing = false;
  #scheduled = false;
  #stalled = false;
  #nextId = 1;
  #death: Error | undefined;
  #closing = false;
  #onIdle: (() => void) | undefined;

  private constructor(worker: Worker, options: SpoolClientOptions) {
    this.#worker = worker;
    this.#options = options;
    worker.on('message', (answer: Answer) => this.#receive(answer));
    worker.on('error', (error: Error) => this.#died(error));
    worker.on('exit', () => this.#died(new Error('the thread of the spool has ended')));
  }

  /** Opens the spool. @throws the reason when it cannot be opened; the file is then unchanged. */
  static async open(options: SpoolClientOptions): Promise<SpoolClient> {
    const { onSalvage: _, onDeath: __, monotonic: ___, ...workerData } = options;
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData });
    nameThread(worker, 'spool');
    const client = new SpoolClient(worker, options);
    const opened = new Promise((resolve, reject) => client.#pending.set(0, { resolve, reject }));
    await opened;
    return client;
  }

  /**
   * Calls `done(null, outcome)` once the order is fsynced (or was before, or is a conflict). Calls `done(error)` when the order is not kept, or may not
   * be: a `SpoolFullError`, or the error of the disk. Never calls `done` before this method returns.
   */
  append(order: NewOrder, done: Done): void {
    if (this.#death !== undefined || this.#stalled) {
      setImmediate(done, this.#death ?? new SpoolStalledError('the disk does not answer'));
      return;
    }
    this.#orders.push({ order, done });
    this.#schedule();
  }

  /** Resolves when the region's answers are on the disk. */
  settle(list: Settlement[]): Promise<void> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    return new Promise((resolve, reject) => {
      this.#settlements.push({ list, pending: { resolve: () => resolve(), reject } });
      this.#schedule();
    });
  }

  batch(query: BatchQuery): Promise<SpooledBatch> {
    return this.#call('batch', query);
  }

  prune(): Promise<number> {
    return this.#call('prune', undefined);
  }

  find(orderId: string): Promise<SpooledOrder | undefined> {
    return this.#call('find', orderId);
  }

  counts(): Promise<SpoolCounts> {
    return this.#call('counts', undefined);
  }

  /** Resolves after a test write, which shows that orders can be kept; rejects with the error of the write. */
  probe(): Promise<void> {
    return this.#call('probe', undefined);
  }

  reached(region: string): Promise<void> {
    return this.#call('reached', region);
  }

  keepTickets(changes: ShelfChanges): Promise<void> {
    return this.#call('keepTickets', changes);
  }

  tickets(unsentMax: number): Promise<Shelf> {
    return this.#call('tickets', unsentMax);
  }

  /**
   * Commits what waits, then closes the file.
   * @throws SpoolStalledError when the disk does not answer within the deadline. The file is then as after a power loss: it has everything that was
   *   acknowledged.
   */
  async close(): Promise<void> {
    if (this.#closing || this.#death !== undefined) return;
    this.#closing = true;
    const { deadlineMs } = this.#options;
    await withDeadline(systemTimers, deadlineMs, this.#shut(), () => {
      const error = new SpoolStalledError(
        `the disk has not answered within ${deadlineMs} ms; the spool is left as it is, with every order that was acknowledged`,
      );
      // The calls in the thread are rejected, and the thread itself is not waited for: the disk may hold it.
      this.#died(error);
      this.#worker.unref();
      void this.#worker.terminate();
      return error;
    });
  }

  async #shut(): Promise<void> {
    await this.#idle();
    if (this.#death !== undefined) return;
    const exit = once(this.#worker, 'exit');
    await this.#call('close', undefined);
    await exit;
  }

  /** Resolves when nothing waits to be committed. */
  #idle(): Promise<void> {
    if (!this.#isBusy) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  get #isBusy(): boolean {
    return this.#committing || this.#orders.length > 0 || this.#settlements.length > 0;
  }

  /** Orders of one pass of the event loop go into one commit. */
  #schedule(): void {
    if (this.#scheduled || this.#committing) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#commit();
    });
  }

  async #commit(): Promise<void> {
    if (this.#committing) return;
    const orders = this.#orders;
    const settlements = this.#settlements;
    if (orders.length === 0 && settlements.length === 0) return;
    this.#orders = [];
    this.#settlements = [];
    this.#committing = true;
    const answered = new Answered(orders);
    const timer = setTimeout(() => this.#stall(answered), this.#options.deadlineMs);
    try {
      const work = packCommit(
        orders.map(({ order }) => order),
        settlements.flatMap(({ list }) => list),
      );
      const { outcomes, full } = await this.#call('commit', work, [work.values.buffer]);
      for (const { pending } of settlements) pending.resolve(undefined);
      answered.all(full === null ? null : new SpoolFullError(full), outcomes);
    } catch (error) {
      for (const { pending } of settlements) pending.reject(error as Error);
      answered.all(error as Error, []);
    }
    clearTimeout(timer);
    this.#committing = false;
    this.#stalled = false;
    if (this.#orders.length > 0 || this.#settlements.length > 0) this.#schedule();
    else this.#onIdle?.();
  }

  #stall(inFlight: Answered): void {
    this.#stalled = true;
    const error = new SpoolStalledError(`the disk has not answered within ${this.#options.deadlineMs} ms`);
    inFlight.all(error, []);
    new Answered(this.#orders.splice(0)).all(error, []);
  }

  #call<Name extends keyof SpoolCalls>(
    name: Name,
    argument: Parameters<SpoolCalls[Name]>[0],
    transfer: ArrayBuffer[] = [],
  ): Promise<ReturnType<SpoolCalls[Name]>> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const id = this.#nextId;
    this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, name, argument }, transfer);
    });
  }

  #receive(answer: Answer): void {
    if ('salvaged' in answer) {
      this.#options.onSalvage?.(answer.salvaged);
      return;
    }
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('error' in answer) pending?.reject(new Error(answer.error.message));
    else pending?.resolve(answer.value);
  }

  /** Rejects every waiting call, with the first reason that was given. */
  #died(error: Error): void {
    if (this.#death !== undefined) return;
    this.#death = error;
    const opened = !this.#pending.has(0);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    new Answered(this.#orders.splice(0)).all(error, []);
    for (const { pending } of this.#settlements.splice(0)) pending.reject(error);
    if (opened && !this.#closing) this.#options.onDeath?.(error);
  }
}

/** The orders of one commit. Each is answered once: by the disk or by the deadline, whichever is first. */
class Answered {
  #waiting: readonly Waiting[];

  constructor(waiting: readonly Waiting[]) {
    this.#waiting = waiting;
  }

  all(error: Error | null, outcomes: readonly Outcome[]): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [index, { done }] of waiting.entries()) done(error, outcomes[index]);
  }
}
