// Tells whether a figure is so far below its bar that something is broken. Used by ../check.ts; pure.

import { type Bar, limitOf } from './bars.ts';
import { type Figure, intervalOf } from './figure.ts';

/** Far below half of the bar. On a machine whose cores are all busy two slots carry no more than one, which is half of their bar. */
const FACTOR = 2.5;

/** Whether all rounds agree that the figure is that many times worse than the bar. */
export function isBroken({ rounds }: Pick<Figure, 'rounds'>, bar: Bar): boolean {
  const { low, high } = intervalOf(rounds);
  return 'atLeast' in bar ? high < limitOf(bar) / FACTOR : low > limitOf(bar) * FACTOR;
}
