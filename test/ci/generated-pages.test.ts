import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { generatedPages } from '../../docs/generate.ts';

test.each(Object.entries(generatedPages))('%s is what its table says; mend with npm run docs', async (path, page) => {
  expect(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(page());
});
