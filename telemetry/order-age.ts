// Measures how old orders are when a step of theirs is finished. Used by the actors, the bridge and the warehouse.

import { Histogram, type Registry } from 'prom-client';

/** The steps of an order that need no person, in sequence. The role that takes a step observes it once for each order. */
export type AgedStep = 'validated' | 'paid' | 'ticket' | 'bridged' | 'warehouse';

/** Notes that an order which was accepted then (milliseconds since 1970) has finished the step now. */
export type OrderAge = (step: AgedStep, acceptedAtMs: number) => void;

/**
 * How old orders are when a step of theirs is finished: the end-to-end latency from the gateway's 202 on. The gateway's clock and that of the role may differ: an
 * order from the future is 0 old.
 */
export function createOrderAge(registry: Registry, now: () => number = Date.now): OrderAge {
  const seconds = new Histogram({
    name: 'ordermesh_order_age_seconds',
    help: 'Age of orders since the gateway accepted them when a step of theirs is finished: its effects and events are durable.',
    labelNames: ['step'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
    registers: [registry],
  });
  return (step, acceptedAtMs) => seconds.observe({ step }, Math.max(0, now() - acceptedAtMs) / 1_000);
}

/** Milliseconds since 1970 of an `acceptedtime`; `undefined` for an event that carries none. */
export function acceptedAtOf(text: string | undefined): number | undefined {
  const acceptedAtMs = Date.parse(text ?? '');
  return Number.isNaN(acceptedAtMs) ? undefined : acceptedAtMs;
}
