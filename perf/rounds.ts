// Runs the sides of a benchmark in turn and makes figures of their rounds. Used by every benchmark.

import type { Figure } from './figures/figure.ts';

/** Runs the sides in turn, `rounds` times: A B A B …, so that drift of the machine meets both. */
export async function interleave<Side extends string>(
  rounds: number,
  sides: Record<Side, () => Promise<number>>,
): Promise<Record<Side, number[]>> {
  const names = Object.keys(sides) as Side[];
  const results = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Side, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results[name].push(await sides[name]());
  }
  return results;
}

/** Median of the ratios of each round. */
export function ratioFigure(ours: number[], theirs: number[], versus: string): Figure {
  const ratios = ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
  return figure(ratios, 'ratio', `${versus}; ${perSecond(ours)} against ${perSecond(theirs)}`, 3);
}

export function figure(values: readonly number[], unit: string, versus: string, digits = 0): Figure {
  const middle = median(values);
  return {
    value: round(middle, digits),
    unit,
    spread: middle === 0 ? 0 : round((Math.max(...values) - Math.min(...values)) / middle, 3),
    versus,
    rounds: values.map((each) => round(each, Math.max(digits, 3))),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('median of nothing');
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function perSecond(values: number[]): string {
  return `${Math.round(median(values)).toLocaleString('en')}/s`;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
