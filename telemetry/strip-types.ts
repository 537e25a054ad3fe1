// Makes JavaScript for a browser of a TypeScript file. Used by the kitchen display and by the pages of flame graphs.

import { stripTypeScriptTypes } from 'node:module';

/**
 * Strips types without Node's warning on standard error that the function is experimental, which would only confuse operators. The version of
 * Node is pinned, and tests load the pages in a browser.
 */
export function stripTypes(source: string): string {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
