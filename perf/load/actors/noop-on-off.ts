import { Gauge } from 'prom-client';
import type { Actor, ActorContext } from '../../../runtime/actor.ts';
import { alternateClock } from '../alternating-clock.ts';

/** As noop.ts, in a thread whose stage clock is on and off in turns. Its metrics tell what both cost. */
export function createActor({ registry, slot }: ActorContext<unknown>): Actor<unknown> {
  let messages = 0;
  const spent = alternateClock(20, () => messages);
  new Gauge({
    name: 'perf_on_off',
    help: 'Processor milliseconds and messages with the stage clock on and off.',
    labelNames: ['slot', 'side', 'what'],
    registers: [registry],
    collect() {
      for (const [side, { cpuMs, messages: count }] of Object.entries(spent())) {
        this.set({ slot, side, what: 'cpuMs' }, cpuMs);
        this.set({ slot, side, what: 'messages' }, count);
      }
    },
  });
  return {
    decode({ value }) {
      messages++;
      return JSON.parse(value === null ? 'null' : value.toString());
    },
  };
}
