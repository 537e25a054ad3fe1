// The settings at which a quick and a full run measure the runtime. Chosen by perf/main.ts.

export interface SweepScale {
  rounds: number;
  /** Of one measurement. */
  messages: number;
  slots: readonly number[];
  processes: readonly number[];
  partitions: readonly number[];
  /** Sizes of a message. */
  bytes: readonly number[];
  /** Exponents of Zipf's law, by which keys are drawn. */
  skews: readonly number[];
  /** Most messages of one transaction of the order-validator. */
  turns: readonly number[];
}

export const quickScale: SweepScale = {
  rounds: 1,
  messages: 40_000,
  slots: [1, 2, 4],
  // Until several processes share the partitions takes longer than a quick run has.
  processes: [],
  partitions: [3, 12],
  bytes: [400, 4_000],
  skews: [0, 1.2],
  turns: [],
};

export const fullScale: SweepScale = {
  rounds: 5,
  messages: 200_000,
  slots: [1, 2, 3, 4],
  processes: [1, 2, 3, 4],
  partitions: [1, 3, 12, 48],
  bytes: [200, 400, 1_000, 4_000, 16_000],
  skews: [0, 0.8, 1.2],
  turns: [10, 100, 1_000],
};
