// Writes statements that read a string. Used by scanner-source.ts.

import { tokens } from '../tokens/index.ts';
import { bytesOf } from '../tokens/member-names.ts';
import type { Declarations } from './declarations.ts';
import type { TextPlan } from './plan.ts';

/** Statements that read the string at `at`, add it to `hash` and leave the function if the string is not as planned. */
export function textSource(plan: TextPlan, hash: string, tag: number, declarations: Declarations): string {
  const { reader, characters, min, max, oneOf, pattern } = plan;
  const range = `at, ${hash}, ${tag}, ${min}, ${max}`;
  const lines: string[] = [];
  if (reader === 'words') lines.push(`at = takeWords(${range});`);
  else if (reader === 'instant') lines.push(`at = takeInstant(${range});`);
  else lines.push(`at = takeText(${range}, ${charactersSource(characters, declarations)});`);
  if (oneOf !== undefined) lines.push(`if (at < 0 || ${choiceSource(oneOf, declarations)} < 0) return -1;`);
  if (pattern !== undefined)
    lines.push(`if (at < 0 || !matches(at, ${declarations.constant(new RegExp(pattern, 'u'))})) return -1;`);
  return lines.join('\n');
}

/** An expression: the index of the string that was taken last among these texts. */
export function choiceSource(texts: readonly string[], declarations: Declarations): string {
  return `choiceOf(at, ${declarations.constant(texts.map(bytesOf))})`;
}

/** The table of the characters of a class, of those that need no escape. */
function charactersSource(characters: string | undefined, declarations: Declarations): string {
  if (characters === undefined) return 'isPlain';
  const expression = new RegExp(characters, 'u');
  const table = tokens.isPlain.map((isPlain, code) =>
    Number(isPlain === 1 && expression.test(String.fromCharCode(code))),
  );
  return table.every((isIn, code) => isIn === tokens.isPlain[code]) ? 'isPlain' : declarations.constant(table);
}
