// Loads a gateway step by step and measures each step. Used by `ordermesh load`.

import type { Traffic } from '../traffic/generator.ts';
import { Latencies, type PercentilePoint } from '../traffic/latencies.ts';
import { runOpenLoop } from '../traffic/open-loop.ts';
import { createSender, type Sender, type SenderOptions, type SendReport } from '../traffic/sender.ts';
import { type StepReport, Tally } from './tally.ts';
import { type Second, Timeline } from './timeline.ts';

/** One rate, until a number of orders is sent or a time is over. */
export type Step = { rate: number } & ({ count: number } | { seconds: number });

export interface LoadRunOptions {
  traffic: Traffic;
  sender: SenderOptions;
  signal: AbortSignal;
  onSecond?(second: Second): void;
}

export interface LoadReport extends SendReport {
  /** The latency's distribution over the whole load. */
  percentiles: PercentilePoint[];
  steps: StepReport[];
  /** Each second of the load. */
  seconds: Second[];
}

export class LoadRun {
  readonly #options: LoadRunOptions;
  readonly #sender: Sender;
  readonly #latencies = new Latencies();
  readonly #timeline: Timeline;
  readonly #tallies: Tally[] = [];

  constructor(options: LoadRunOptions) {
    this.#options = options;
    this.#timeline = new Timeline(options.onSecond);
    this.#sender = createSender({
      ...options.sender,
      onResult: (result) => {
        if (result.status === 202) this.#latencies.record(result.latencyMs);
        this.#timeline.result(result);
        for (const tally of this.#tallies) tally.result(result);
        options.sender.onResult?.(result);
      },
    });
  }

  /**
   * Sends one step; its figures are those after `warmUpS` seconds. Answers may be on their way when this resolves: the step's report counts them as
   * they come.
   * @throws what the sender failed with
   */
  async step(step: Step, warmUpS = 0): Promise<{ report(): StepReport }> {
    const { traffic, signal } = this.#options;
    const { rate } = step;
    const startsAtMs = performance.now();
    const measuredFromMs = startsAtMs + warmUpS * 1_000;
    const endsAtMs = 'count' in step ? Number.POSITIVE_INFINITY : startsAtMs + step.seconds * 1_000;
    const tally = new Tally(rate, measuredFromMs, endsAtMs);
    this.#tallies.push(tally);
    this.#timeline.rate = rate;
    let unsent = 0;
    const sender = this.#sender;
    await runOpenLoop({
      traffic,
      sender: {
        get isFull() {
          return sender.isFull;
        },
        submit: async (order, dueAtMs = performance.now()) => {
          tally.sent(dueAtMs);
          await sender.submit(order, dueAtMs);
          this.#timeline.sent();
        },
      },
      ratePerSecond: rate,
      startAtMs: startsAtMs,
      signal,
      ...('count' in step ? { count: step.count } : { durationMs: step.seconds * 1_000 }),
      onCut: (behindMs) => {
        unsent = Math.round((rate * Math.min(behindMs, performance.now() - measuredFromMs)) / 1_000);
      },
      onLate: (lateMs) => {
        tally.cost.sentLate(lateMs);
        this.#timeline.cost.sentLate(lateMs);
      },
    });
    tally.end(unsent);
    this.#timeline.rate = 0;
    return tally;
  }

  /** Waits for the answers of everything that was sent. */
  settle(): Promise<void> {
    return this.#sender.settle();
  }

  report(): LoadReport {
    return {
      ...this.#sender.report(),
      percentiles: this.#latencies.distribution(),
      steps: this.#tallies.map((tally) => tally.report()),
      seconds: this.#timeline.seconds,
    };
  }

  close(): void {
    this.#timeline.close();
    this.#sender.close();
  }
}
