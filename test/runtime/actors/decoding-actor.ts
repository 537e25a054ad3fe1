import type { Actor } from '../../../runtime/actor.ts';

export function createActor(): Actor<unknown> {
  return { decode: ({ value }) => JSON.parse(value?.toString() ?? 'null') };
}
