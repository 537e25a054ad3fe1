// Measures what the load generator itself takes, and says when the generator is the bottleneck. Used by load-run.ts.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Latencies } from '../traffic/latencies.ts';

/** The monitor's timer; the monitor counts the timer's own period as part of each delay. */
const RESOLUTION_MS = 10;
/** Above this share of one core the only thread that sends has no time to spare. */
const CORES_MAX = 0.8;
/** An order that is sent this late was not sent at the intended rate. */
const LATE_MS_MAX = 20;

export interface OwnCost {
  /** Processor time of this process, all threads, in cores. */
  cores: number;
  /** 99th percentile of how long the event loop kept a due timer waiting, in milliseconds. */
  loopDelayP99Ms: number;
  /** 99th percentile of how late orders were sent that the sender had room for, in milliseconds. */
  lateP99Ms: number;
}

/** What a watch reads of its process. */
export interface ProcessMeters {
  /** Processor time so far, in microseconds. */
  cpuUs(): number;
  nowMs(): number;
}

const ofThisProcess: ProcessMeters = {
  cpuUs() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  nowMs: () => performance.now(),
};

/** Measures laps: each begins where the one before has ended. */
export class OwnCostWatch {
  readonly #late = new Latencies();
  readonly #meters: ProcessMeters;
  #loopDelay = startMonitor();
  #cpuUs: number;
  #startedAt: number;

  constructor(meters = ofThisProcess) {
    this.#meters = meters;
    this.#cpuUs = meters.cpuUs();
    this.#startedAt = meters.nowMs();
  }

  /** One order was sent this much after it was due, in milliseconds. */
  sentLate(lateMs: number): void {
    this.#late.record(lateMs);
  }

  /** Ends the lap and begins the next one. */
  lap(): OwnCost {
    const [now, cpuUs] = [this.#meters.nowMs(), this.#meters.cpuUs()];
    const cost = {
      cores: (cpuUs - this.#cpuUs) / 1_000 / (now - this.#startedAt),
      loopDelayP99Ms: Math.max(0, this.#loopDelay.percentile(99) / 1e6 - RESOLUTION_MS),
      lateP99Ms: this.#late.percentileMs(99),
    };
    this.#cpuUs = cpuUs;
    this.#startedAt = now;
    // A reset monitor does not count a delay that is going on, so each lap has its own.
    this.#loopDelay.disable();
    this.#loopDelay = startMonitor();
    this.#late.reset();
    return cost;
  }

  close(): void {
    this.#loopDelay.disable();
  }
}

function startMonitor() {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  monitor.enable();
  return monitor;
}

/** Why the generator, and not the gateway, limits the load; `undefined` when the generator has time to spare. */
export function bottleneckOf({ cores, lateP99Ms, loopDelayP99Ms }: OwnCost): string | undefined {
  const reasons = [
    ...(cores > CORES_MAX ? [`it takes ${cores.toFixed(2)} of a core`] : []),
    ...(lateP99Ms > LATE_MS_MAX ? [`one order in a hundred was sent more than ${lateP99Ms.toFixed(0)} ms late`] : []),
    ...(loopDelayP99Ms > LATE_MS_MAX ? [`its event loop was ${loopDelayP99Ms.toFixed(0)} ms late`] : []),
  ];
  return reasons.length === 0 ? undefined : reasons.join(', ');
}
