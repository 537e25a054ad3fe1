// The bars that figures are held against, and the verdict on each. Used by ../report.ts and by ../check.ts.

import { type Figure, intervalOf } from './figure.ts';

export type Bar = { atLeast: number } | { atMost: number };

/** By the name of the figure. `cost_explained` stands for `costs.explained` of report.json. */
export const bars: Readonly<Record<string, Bar>> = {
  pipeline_sustained_orders_per_second: { atLeast: 8_000 },
  validator_orders_per_second: { atLeast: 40_000 },
  payment_orders_per_second_at_300_ms: { atLeast: 2_000 },
  gateway_durable_vs_uws_ceiling: { atLeast: 0.8 },
  gateway_p99_ms_at_half_load: { atMost: 10 },
  cpu_bound_two_slots_vs_one: { atLeast: 1.85 },
  runtime_noop_vs_bare_loop: { atLeast: 0.9 },
  runtime_noop_vs_parallel_consumer: { atLeast: 10 },
  cost_explained: { atLeast: 0.9 },
};

/** `undecided`: the rounds disagree by more than the value's distance to the bar, so the value proves nothing. */
export type Verdict = 'holds' | 'fails' | 'undecided';

type Rounded = Pick<Figure, 'value' | 'rounds'>;

export function verdictOf(figure: Rounded, bar: Bar): Verdict {
  const limit = limitOf(bar);
  if (disagreementOf(figure) > Math.abs(figure.value - limit)) return 'undecided';
  const holds = 'atLeast' in bar ? figure.value >= limit : figure.value <= limit;
  return holds ? 'holds' : 'fails';
}

/** How far the rounds lie from the value at most. One round agrees with itself. */
export function disagreementOf({ value, rounds }: Rounded): number {
  const { low, high } = intervalOf(rounds);
  return Math.max(value - low, high - value, 0);
}

export function limitOf(bar: Bar): number {
  return 'atLeast' in bar ? bar.atLeast : bar.atMost;
}

export function barText(bar: Bar): string {
  return `${'atLeast' in bar ? '≥' : '≤'} ${limitOf(bar).toLocaleString('en')}`;
}
