import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor, ActorContext } from '../../../runtime/actor.ts';

/** What a message of a test asks for. */
export interface Order {
  n: number;
  /** Only makes the record large. */
  pad?: string;
  act?:
    | 'poison'
    | 'hang'
    | 'spin-preparing'
    | 'spin-applying'
    | 'spin-after-preparing'
    | 'spin-after-applying'
    | 'forget-statement'
    | 'no-outputs'
    | DeathOnce;
}

/** The thread dies, unless the file says that one has died already. */
export type DeathOnce = 'exit' | 'exhaust-memory' | 'reject-unhandled' | 'throw-in-timer';

const deathsOnce: ReadonlySet<unknown> = new Set<DeathOnce>([
  'exit',
  'exhaust-memory',
  'reject-unhandled',
  'throw-in-timer',
]);

export interface EffectsSettings {
  outputTopic?: string;
  /** A file that is written when a message begins to hang. */
  hangMark?: string;
  /** A file that remembers, beyond the death of the thread, that it has died. */
  deathMark?: string;
}

/** Writes a row for each message, one for each time that it was applied and, if asked, an output; fails in the ways that tests need. */
export function createActor({ settings }: ActorContext<EffectsSettings>): Actor<Order, undefined> {
  return {
    decode: ({ value }) => JSON.parse(value?.toString() ?? 'null') as Order,
    async prepare({ act }) {
      if (act === 'spin-preparing') for (;;);
      if (act === 'spin-after-preparing') {
        await sleep(1);
        for (;;);
      }
      if (act === 'hang') {
        if (settings.hangMark !== undefined) writeFileSync(settings.hangMark, '');
        await new Promise(() => {});
      }
      if (!deathsOnce.has(act)) return undefined;
      if (settings.deathMark === undefined || existsSync(settings.deathMark)) return undefined;
      writeFileSync(settings.deathMark, String(act));
      if (act === 'exit') process.exit(3);
      if (act === 'reject-unhandled') Promise.reject(new Error('unhandled on purpose'));
      if (act === 'throw-in-timer')
        setTimeout(() => {
          throw new Error('uncaught on purpose');
        }, 1);
      if (act !== 'exhaust-memory') return await new Promise(() => {});
      const hoard: number[][] = [];
      for (;;) hoard.push(new Array(1_000_000).fill(hoard.length));
    },
    async apply(items, sql) {
      if (items.some(({ input }) => input.act === 'spin-applying')) for (;;);
      if (items.some(({ input }) => input.act === 'spin-after-applying')) {
        await sql`select 1`;
        for (;;);
      }
      if (items.some(({ input }) => input.act === 'no-outputs')) return undefined as never;
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
      // The forgotten await is what this tests.
      if (items.some(({ input }) => input.act === 'forget-statement')) sql`delete from effects`;
      const { outputTopic } = settings;
      return items.map(({ message, input }) =>
        outputTopic === undefined
          ? []
          : [{ topic: outputTopic, key: message.key, value: `${input.n}${input.pad ?? ''}` }],
      );
    },
  };
}
