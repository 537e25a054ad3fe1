// The actor of the same work. Loaded by the slot threads of ordermesh.ts.

import type { Actor, ActorContext } from '../../../../runtime/actor.ts';
import { decide, type OrderEvent } from '../work.ts';

/** Stores nothing: the transaction of its turn holds the fence alone. */
export function createActor({ settings }: ActorContext<{ to: string; totalLimit: number }>): Actor<OrderEvent> {
  const { to, totalLimit } = settings;
  return {
    decode: ({ value }) => JSON.parse(String(value)) as OrderEvent,
    apply: async (items) =>
      items.map(({ input, message: { key } }) => [{ topic: to, key, value: decide(input, totalLimit) }]),
  };
}
