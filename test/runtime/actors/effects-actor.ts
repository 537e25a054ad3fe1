import { existsSync, writeFileSync } from 'node:fs';
import type { Actor, ActorContext } from '../../../runtime/actor.ts';

/** What a test's message asks for. */
export interface Order {
  n: number;
  act?: 'poison' | 'hang' | 'exit' | 'exhaust-memory' | 'spin-preparing' | 'spin-applying';
}

export interface EffectsSettings {
  outputTopic?: string;
  /** A file that remembers, over the death of the thread, that it already died. */
  deathMark?: string;
}

/** Writes a row for each message, one for each time that it was applied and, if asked, an output; fails in the ways that tests need. */
export function createActor({ settings }: ActorContext<EffectsSettings>): Actor<Order, undefined> {
  return {
    decode: ({ value }) => JSON.parse(value?.toString() ?? 'null') as Order,
    async prepare({ act }) {
      if (act === 'spin-preparing') for (;;);
      if (act === 'hang') await new Promise(() => {});
      if (act !== 'exit' && act !== 'exhaust-memory') return undefined;
      if (settings.deathMark === undefined || existsSync(settings.deathMark)) return undefined;
      writeFileSync(settings.deathMark, act);
      if (act === 'exit') process.exit(3);
      const hoard: number[][] = [];
      for (;;) hoard.push(new Array(1_000_000).fill(hoard.length));
    },
    async apply(items, sql) {
      if (items.some(({ input }) => input.act === 'spin-applying')) for (;;);
      const poison = items.find(({ input }) => input.act === 'poison');
      if (poison !== undefined) throw new RangeError(`order ${poison.input.n} can't be made`);
      await sql`insert into effects ${sql(
        items.map(({ message, input }) => ({
          id: `${message.partition}/${message.offset}`,
          key: message.key,
          n: input.n,
        })),
      )} on conflict (id) do nothing`;
      await sql`insert into applications ${sql(items.map(() => ({ process: process.pid })))}`;
      const { outputTopic } = settings;
      return items.map(({ message, input }) =>
        outputTopic === undefined ? [] : [{ topic: outputTopic, key: message.key, value: String(input.n) }],
      );
    },
  };
}
