import fc from 'fast-check';
import { expect, test } from 'vitest';
import { column } from '../../store/database/column.ts';
import { createTestDatabase } from '../support/servers.ts';

test('PostgreSQL reads a column as the driver would have written it', async () => {
  await using database = await createTestDatabase();
  const { sql } = database;
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => !value.includes('\0'));
  const special = fc.constantFrom('', 'null', 'NULL', '"', '\\', '{}', ',', ' a ', '\\"\n');
  const values = fc.array(fc.option(fc.oneof(text, special)), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(values, async (all) => {
      const rows = await sql<{ value: string | null }[]>`
        select value from unnest(${column(all, (value) => value)}::text[]) as value`;
      expect(rows.map(({ value }) => value)).toEqual(all);
    }),
  );
  const numbers = [0, -1, 1.5, 2 ** 53 - 1, 1e21];
  const read = await sql<{ value: number }[]>`
    select value from unnest(${column(numbers, (value) => value)}::float8[]) as value`;
  expect(read.map(({ value }) => value)).toEqual(numbers);
});
