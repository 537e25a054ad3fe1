// Metrics of the calls that `prepare` makes. slot-thread.ts registers them.

import { Gauge, type Registry } from 'prom-client';
import type { SlotEngine } from '../slot-engine.ts';

/** Nothing is registered for an actor without `prepare`. */
export function registerPrepares(registry: Registry, slot: number, engine: Pick<SlotEngine, 'prepares'>): void {
  if (engine.prepares === undefined) return;
  const gauge = (name: string, help: string, value: (prepares: NonNullable<SlotEngine['prepares']>) => number) =>
    new Gauge({
      name: `ordermesh_runtime_prepares_${name}`,
      help,
      labelNames: ['slot'],
      registers: [registry],
      collect() {
        if (engine.prepares !== undefined) this.set({ slot: String(slot) }, value(engine.prepares));
      },
    });
  gauge('limit', 'Most calls of `prepare` at a time; it adapts to the third party.', ({ limit }) => limit);
  gauge('in_flight', 'Calls of `prepare` in flight.', ({ inFlight }) => inFlight);
  gauge('waiting', 'Messages that wait for a call of `prepare` while others overtake them.', ({ waiting }) => waiting);
}
