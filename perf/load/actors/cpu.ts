import type { Actor, ActorContext } from '../../../runtime/actor.ts';
import { compute } from '../cpu-work.ts';

/** Computes for each order, as many steps as the settings say. */
export function createActor({ settings }: ActorContext<{ steps: number }>): Actor<number> {
  const { steps } = settings;
  return { decode: ({ value }) => compute(value?.[0] ?? 0, steps) };
}
