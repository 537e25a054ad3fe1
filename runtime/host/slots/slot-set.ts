// All slots of a process, and the replacement of dead threads. Used by the host.

import { exponentialDelayMs } from '../../../contracts/backoff.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { MetricsSnapshot } from '../../../telemetry/metrics.ts';
import { StateLog } from '../../../telemetry/state-log.ts';
import { describeError } from '../../outage.ts';
import { delay, type Timers } from '../../timers.ts';
import type { SlotReport } from '../../wire/slot-protocol.ts';
import type { SlotView } from '../../wire/slot-view.ts';
import type { HostedSlot, HostPorts } from '../host-ports.ts';
import type { SlotDeathError } from './slot-death.ts';

const RESTART_BACKOFF_MS = { first: 100, most: 5_000 };

export interface SlotSetHooks {
  onReport(slot: number, report: SlotReport): void;
  /** The thread died, and everything in it is lost. It is replaced after this call returns. */
  onDeath(slot: number, error: SlotDeathError): void;
  /** A new thread has replaced a dead one, and has no partition yet. */
  onReplaced(slot: number): Promise<void>;
}

/** The slots of one process. A thread that dies is replaced; the replacement is tried until it succeeds. */
export class SlotSet {
  readonly #slots: HostedSlot[];
  readonly #timers: Timers;
  readonly #hooks: SlotSetHooks;
  readonly #logger: Logger;
  readonly #states: StateLog;
  #stopping = false;

  constructor(count: number, ports: Pick<HostPorts, 'createSlot' | 'timers'>, hooks: SlotSetHooks, logger: Logger) {
    this.#timers = ports.timers;
    this.#hooks = hooks;
    this.#logger = logger;
    this.#states = new StateLog(logger, ports.timers);
    this.#slots = Array.from({ length: count }, (_, index) =>
      ports.createSlot(index, {
        onReport: (report) => hooks.onReport(index, report),
        onDeath: (error) => this.#onDeath(index, error),
      }),
    );
  }

  get count(): number {
    return this.#slots.length;
  }

  get states(): { slot: number; running: boolean }[] {
    return this.#slots.map(({ index, running }) => ({ slot: index, running }));
  }

  at(index: number): HostedSlot | undefined {
    return this.#slots[index];
  }

  [Symbol.iterator](): Iterator<HostedSlot> {
    return this.#slots.values();
  }

  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.start()));
  }

  /** From now on dead threads are not replaced. */
  beginStop(): void {
    this.#stopping = true;
  }

  async stop(timeoutMs: number): Promise<void> {
    this.beginStop();
    await Promise.all(
      this.#slots.map((slot) =>
        slot.stop(timeoutMs).catch((error: unknown) => {
          const fields = { slot: slot.index, reason: describeError(error) };
          this.#logger.warn(fields, 'thread was ended before it had closed everything');
        }),
      ),
    );
  }

  async metrics(): Promise<MetricsSnapshot[]> {
    return await Promise.all(this.#slots.map((slot) => slot.metrics()));
  }

  /** The answers of all slots, in the order of the slots. */
  async views(): Promise<(SlotView | undefined)[]> {
    return await Promise.all(this.#slots.map((slot) => slot.view()));
  }

  #onDeath(index: number, error: SlotDeathError): void {
    if (this.#stopping) return;
    this.#hooks.onDeath(index, error);
    this.#replace(index);
  }

  async #replace(index: number): Promise<void> {
    const slot = this.#slots[index];
    for (let attempt = 1; slot !== undefined && !this.#stopping; attempt++) {
      try {
        await slot.start();
        this.#states.end(`slot ${index}`, 'thread runs again', { slot: index });
        await this.#hooks.onReplaced(index);
        return;
      } catch (error) {
        const fields = { slot: index, error: describeError(error) };
        this.#states.begin(`slot ${index}`, 'thread does not start; trying again', fields);
        await delay(this.#timers, exponentialDelayMs(attempt, RESTART_BACKOFF_MS.first, RESTART_BACKOFF_MS.most));
      }
    }
  }
}
