// Measures how old orders are when a step of theirs is finished. Used by the actors, the bridge and the warehouse.

import type { Registry } from 'prom-client';
import { PlainHistogram } from './plain-histogram.ts';

/** The steps of an order that need no person, in sequence. The role that takes a step observes it once for each order. */
export type AgedStep = 'validated' | 'paid' | 'ticket' | 'bridged' | 'warehouse';

/** Notes that an order which was accepted then (milliseconds since 1970) has finished the step now. */
export type OrderAge = (acceptedAtMs: number) => void;

/** Milliseconds. */
const bounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000];

/**
 * How old orders are when a step of theirs is finished: the end-to-end latency from the gateway's 202 on. The gateway's clock and that of the role may differ: an
 * order from the future is 0 old.
 */
export function createOrderAge(registry: Registry, step: AgedStep, now: () => number = Date.now): OrderAge {
  const ages = new PlainHistogram(bounds, 1_000);
  const help =
    'Age of orders since the gateway accepted them when a step of theirs is finished: its effects and events are durable.';
  ages.register(registry, 'ordermesh_order_age_seconds', help, { step });
  return (acceptedAtMs) => ages.observe(Math.max(0, now() - acceptedAtMs));
}

/** Milliseconds since 1970 of an `acceptedtime`; `undefined` for an event that carries none. */
export function acceptedAtOf(text: string | undefined): number | undefined {
  const acceptedAtMs = Date.parse(text ?? '');
  return Number.isNaN(acceptedAtMs) ? undefined : acceptedAtMs;
}
