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
