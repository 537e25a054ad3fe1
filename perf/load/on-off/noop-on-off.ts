import { Gauge } from 'prom-client';
import type { Actor, ActorContext } from '../../../runtime/actor.ts';
import { AlternatingClock } from './alternating-clock.ts';

const SLICE_MESSAGES = 5_000;

/** As noop.ts, in a thread whose stage clock is on and off in turns. Its metrics tell what both cost. */
export function createActor({ registry, slot }: ActorContext<unknown>): Actor<unknown> {
  const clock = new AlternatingClock(SLICE_MESSAGES);
  let messages = 0;
  let nextLook = SLICE_MESSAGES;
  new Gauge({
    name: 'perf_on_off',
    help: 'What a message costs with the stage clock on and off.',
    labelNames: ['slot', 'what'],
    registers: [registry],
    collect() {
      for (const [what, value] of Object.entries(clock.result())) this.set({ slot, what }, value);
    },
  });
  return {
    decode({ value }) {
      messages++;
      if (messages >= nextLook) {
        nextLook = messages + SLICE_MESSAGES;
        setImmediate(() => clock.look(messages));
      }
      return JSON.parse(value === null ? 'null' : value.toString());
    },
  };
}
