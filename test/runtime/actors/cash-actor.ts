import { type Actor, type ActorContext, OutageError } from '../../../runtime/actor.ts';

/** Keys that begin with "cash" need no provider. The provider is a URL. */
export function createActor({ settings }: ActorContext<{ provider: string }>): Actor<{ n: number }, string> {
  return {
    decode: ({ value }) => JSON.parse(String(value)) as { n: number },
    prepareAtOnce: (_, { key }) => (key.startsWith('cash') ? 'cash' : undefined),
    async prepare() {
      const answer = await fetch(settings.provider, { signal: AbortSignal.timeout(5_000) }).catch((cause) => {
        throw new OutageError('the provider does not answer', { cause });
      });
      return await answer.text();
    },
    async apply(items, sql) {
      const rows = items.map(({ message: { key }, input: { n } }) => ({ id: `${key}/${n}`, key, n }));
      await sql`insert into effects ${sql(rows)} on conflict (id) do nothing`;
      return items.map(() => []);
    },
  };
}
