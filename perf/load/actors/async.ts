import type { Actor, ActorContext } from '../../../runtime/actor.ts';

/** Waits for each order as for the answer of a third party, with a timer that holds no thread. */
export function createActor({ settings }: ActorContext<{ waitMs: number }>): Actor<unknown, void> {
  const { waitMs } = settings;
  return {
    decode: ({ value }) => JSON.parse(value === null ? 'null' : value.toString()),
    prepare: () => new Promise((resolve) => setTimeout(resolve, waitMs)),
  };
}
