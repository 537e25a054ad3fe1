// The counters of the actors, and a way to count a turn's messages together.

import { Counter, type Registry } from 'prom-client';

/**
 * What the actors count, for rates and alerts. They count when a turn is applied; a turn that is rolled back and applied again counts
 * twice. The exact numbers are in the database.
 */
export function decisionCounter(registry: Registry): Counter<'decision' | 'reason'> {
  return new Counter({
    name: 'ordermesh_decisions_total',
    help: 'Orders decided; a rejected one counts under its first reason.',
    labelNames: ['decision', 'reason'],
    registers: [registry],
  });
}

export function paymentCounter(registry: Registry): Counter<'method' | 'outcome'> {
  return new Counter({
    name: 'ordermesh_payments_total',
    help: 'Payments decided.',
    labelNames: ['method', 'outcome'],
    registers: [registry],
  });
}

export function kitchenCounter(registry: Registry): Counter<'event' | 'effect'> {
  return new Counter({
    name: 'ordermesh_kitchen_events_total',
    help: 'Events applied to tickets: opened, moved, repeated or illegal.',
    labelNames: ['event', 'effect'],
    registers: [registry],
  });
}

/** Counts the messages of a turn by two labels, and adds them up at its end: prom-client looks up hashed labels each time. */
export class TurnCount {
  readonly #counter: Counter;
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(counter: Counter) {
    this.#counter = counter;
  }

  /** The values of the counter's labels, in the order in which it names them. */
  add(first: string, second: string): void {
    const counts = this.#counts.get(first) ?? new Map<string, number>();
    this.#counts.set(first, counts.set(second, (counts.get(second) ?? 0) + 1));
  }

  done(): void {
    for (const [first, counts] of this.#counts)
      for (const [second, count] of counts) this.#counter.labels(first, second).inc(count);
  }
}
