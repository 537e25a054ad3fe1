import type { Actor } from '../../../runtime/actor.ts';

export interface HealingOrder {
  n: number;
  poison?: boolean;
}

/**
 * Writes a row for each message that it applies, in the order of the commits. A message with `poison` fails until its key is in the table
 * `healed`. A message that is delivered again, at whatever offset, writes no second row.
 */
export function createActor(): Actor<HealingOrder, undefined> {
  return {
    decode: ({ value }) => JSON.parse(value?.toString() ?? 'null') as HealingOrder,
    async apply(items, sql) {
      const poisoned = items.filter(({ input }) => input.poison === true);
      if (poisoned.length > 0) {
        const healed = new Set(
          (await sql<{ key: string }[]>`select key from healed`).map(({ key }: { key: string }) => key),
        );
        const sick = poisoned.find(({ message }) => !healed.has(message.key));
        if (sick !== undefined) throw new RangeError(`order ${sick.input.n} can't be made`);
      }
      await sql`insert into effects ${sql(
        items.map(({ message, input }) => ({
          id: `${message.key}/${input.n}`,
          key: message.key,
          n: input.n,
        })),
      )} on conflict (id) do nothing`;
      return items.map(() => []);
    },
  };
}
