// What a benchmark measures: a figure with its rounds. Made by ../rounds.ts, written by ../report.ts.

/** One measured figure. A ratio comes from interleaved rounds of one run, so that drift of the machine cancels out. */
export interface Figure {
  value: number;
  unit: string;
  /** (max - min) / median over the rounds: how far to trust the value. */
  spread: number;
  /** What it is measured against, or how. */
  versus: string;
  /** The value of each round, in the order of time. */
  rounds: readonly number[];
}

export type Figures = Record<string, Figure>;

export interface Interval {
  low: number;
  high: number;
}

/** Chance that the true median lies outside of the interval of many rounds. */
const ERROR_MAX = 0.05;

/**
 * Where the median lies, as far as the rounds tell: from the least to the greatest of few rounds. From 9 rounds on, single outliers no
 * longer count: the interval is the 95 % confidence interval of the median by order statistics, which asks for no distribution (Conover,
 * Practical Nonparametric Statistics; Hoefler and Belli, "Scientific Benchmarking of Parallel Computing Systems", SC 2015, rule 5).
 */
export function intervalOf(rounds: readonly number[]): Interval {
  const sorted = rounds.toSorted((a, b) => a - b);
  const left = sorted[outliersOf(sorted.length)];
  const right = sorted[sorted.length - 1 - outliersOf(sorted.length)];
  if (left === undefined || right === undefined) throw new RangeError('interval of nothing');
  return { low: left, high: right };
}

/** How many rounds at each end may be left out: of n rounds, the number below the median has a binomial distribution. */
function outliersOf(n: number): number {
  let outliers = 0;
  let term = 0.5 ** n;
  for (let tail = term; 2 * (tail + (term * (n - outliers)) / (outliers + 1)) <= ERROR_MAX; tail += term) {
    term *= (n - outliers) / (outliers + 1);
    outliers++;
  }
  return outliers;
}
