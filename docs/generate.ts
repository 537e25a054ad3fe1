import { writeFile } from 'node:fs/promises';
import { configurationDocs } from '../contracts/config.ts';
import { errorDocs } from '../contracts/errors.ts';

/** The pages that are made from tables, by their path. A test holds pages and tables together. */
export const generatedPages = {
  'docs/configuration.md': configurationDocs,
  'docs/errors.md': errorDocs,
};

if (import.meta.main) {
  for (const [path, page] of Object.entries(generatedPages))
    await writeFile(new URL(`../${path}`, import.meta.url), page());
}
