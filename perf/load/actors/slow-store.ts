import type { Actor, ActorContext } from '../../../runtime/actor.ts';

/** An actor whose turns each keep the store busy for `turnSeconds`. */
export function createActor({ settings }: ActorContext<{ turnSeconds: number }>): Actor<unknown> {
  const { turnSeconds } = settings;
  return {
    decode: ({ value }) => JSON.parse(value === null ? 'null' : value.toString()),
    async apply(items, transaction) {
      await transaction`select pg_sleep(${turnSeconds})`;
      return items.map(() => []);
    },
  };
}
