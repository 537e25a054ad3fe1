// Says which figures of two reports differ by more than their rounds do. Used by main.ts; pure.

import { intervalOf } from '../figures/figure.ts';
import type { Report } from '../report.ts';

/** `unknown`: a figure of one round tells nothing of noise. */
export type Movement = 'up' | 'down' | 'within noise' | 'unknown' | 'new' | 'gone';

export interface Difference {
  name: string;
  unit: string;
  before: number | undefined;
  after: number | undefined;
  movement: Movement;
}

/** Reports of earlier versions have no rounds. */
type Compared = Pick<Report, 'figures'>;

/**
 * A figure has moved when the intervals of its rounds do not overlap (`intervalOf`: all of few rounds, the 95 % confidence interval of the
 * median of many). Intervals that do not overlap differ significantly; intervals that do may differ too, but not clearly (Georges, Buytaert
 * and Eeckhout, "Statistically Rigorous Java Performance Evaluation", OOPSLA 2007). Three rounds on each side lie apart by chance once in
 * ten times, five on each side once in 126.
 */
export function compareReports(before: Compared, after: Compared): Difference[] {
  const names = [...new Set([...Object.keys(before.figures), ...Object.keys(after.figures)])];
  return names.map((name) => {
    const [old, now] = [before.figures[name], after.figures[name]];
    const movement = old === undefined ? 'new' : now === undefined ? 'gone' : movementOf(old.rounds, now.rounds);
    return { name, unit: now?.unit ?? old?.unit ?? '', before: old?.value, after: now?.value, movement };
  });
}

function movementOf(before: readonly number[] = [], after: readonly number[] = []): Movement {
  if (before.length < 2 || after.length < 2) return 'unknown';
  const [old, now] = [intervalOf(before), intervalOf(after)];
  if (now.low > old.high) return 'up';
  return now.high < old.low ? 'down' : 'within noise';
}

export function differenceLines(differences: readonly Difference[]): string[] {
  const width = Math.max(0, ...differences.map(({ name }) => name.length));
  return differences.map(({ name, unit, before, after, movement }) => {
    const mark = movement === 'up' || movement === 'down' ? '*' : ' ';
    const change =
      before === undefined || after === undefined || before === 0
        ? ''
        : `${after >= before ? '+' : ''}${(100 * (after / before - 1)).toFixed(1)} %`;
    const values = [before, after].map((value) => (value?.toLocaleString('en') ?? '-').padStart(11)).join(' ');
    return `${mark} ${name.padEnd(width)} ${values} ${unit.padEnd(10)} ${change.padStart(9)}  ${movement}`;
  });
}
