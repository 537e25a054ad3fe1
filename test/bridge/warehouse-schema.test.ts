import type { BigQuery } from '@google-cloud/bigquery';
import { expect, test } from 'vitest';
import { ensureWarehouse, ordersQuery } from '../../bridge/warehouse/warehouse-schema.ts';

/** A warehouse in which everything exists; the emulator does not tell the query of a view, so it cannot stand in here. */
async function replacedViews(known: object): Promise<unknown[]> {
  const replaced: unknown[] = [];
  const table = (name: string) => ({
    getMetadata: async () => [name === 'orders' ? known : {}],
    setMetadata: async (metadata: unknown) => replaced.push(metadata),
  });
  const bigQuery = { dataset: () => ({ getMetadata: async () => [{}], table }) };
  await ensureWarehouse(bigQuery as unknown as BigQuery, 'p', 'd');
  return replaced;
}

test('a view of an earlier version is replaced, ours and one that is not told stay', async () => {
  const query = ordersQuery('p', 'd');
  expect(await replacedViews({ view: { query: 'select 1' } })).toEqual([{ view: { query, useLegacySql: false } }]);
  expect(await replacedViews({ view: { query } })).toEqual([]);
  expect(await replacedViews({})).toEqual([]);
});
