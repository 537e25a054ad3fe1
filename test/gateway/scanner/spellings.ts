// Spells a document as JSON in unusual ways, and damages its bytes. Used by the tests of the order scanner.

import type { Random } from '../../../lab/traffic/random.ts';

/** JSON of a value with its members in any order and space between its tokens. */
export function spelled(value: unknown, random: Random): string {
  const isDense = random.chance(0.3);
  const isSorted = random.chance(0.5);
  const space = () => (!isDense && random.chance(0.2) ? ([' ', '\n', '\r\n', '\t '][random.integer(4)] as string) : '');
  const spell = (part: unknown): string => {
    if (Array.isArray(part)) return `[${space()}${part.map((each) => spell(each) + space()).join(`,${space()}`)}]`;
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    const members = Object.entries(part).map(([name, each]) => ({ name, each, rank: random.bits() }));
    if (!isSorted) members.sort((one, other) => one.rank - other.rank);
    const texts = members.map(
      ({ name, each }) => `${space()}${JSON.stringify(name)}${space()}:${space()}${spell(each)}`,
    );
    return `{${texts.join(`${space()},`)}${space()}}`;
  };
  return `${space()}${spell(value)}${space()}`;
}

/** What JSON readers stumble over, and what turns one valid value into another. */
const snippets = [
  ...'"\\{}[],:-0159eE. tfn',
  ...['null', 'true', 'false', '{}', '[]', '""', '00', '-0', '1e1', '0.5', '\\u0041', '\\"', 'é', '\u0000', '\ufeff'],
].map((snippet) => Buffer.from(snippet));

/** The same bytes with one or three places changed. Most are no longer valid. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  let result = bytes;
  for (let left = random.chance(0.6) ? 1 : 3; left > 0; left--) {
    const at = random.integer(result.length + 1);
    const end = Math.min(result.length, at + 1 + random.integer(random.chance(0.8) ? 2 : 60));
    const put = random.chance(0.7) ? (snippets[random.integer(snippets.length)] as Buffer) : result.subarray(at, end);
    const to = random.integer(result.length + 1);
    switch (random.integer(4)) {
      case 0:
        result = Buffer.concat([result.subarray(0, at), put, result.subarray(at)]);
        break;
      case 1:
        result = Buffer.concat([result.subarray(0, at), result.subarray(end)]);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), put, result.subarray(end)]);
        break;
      default:
        result = Buffer.concat([result.subarray(0, to), result.subarray(at, end), result.subarray(to)]);
    }
  }
  return result;
}

/** JSON of a document in which one member occurs twice: in any object, before or after, with the same value or another, escaped or not. */
export function withRepeats(document: unknown): string[] {
  const texts: string[] = [];
  const visit = (value: unknown, put: (text: string) => string) => {
    if (typeof value !== 'object' || value === null) return;
    const entries = Object.entries(value);
    const parts = entries.map(([name, each]) =>
      Array.isArray(value) ? JSON.stringify(each) : `${JSON.stringify(name)}:${JSON.stringify(each)}`,
    );
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    for (const [index, [name, each]] of entries.entries()) {
      const rest = (text: string) => put(`${open}${parts.with(index, text).join()}${close}`);
      visit(each, (text) => rest(Array.isArray(value) ? text : `${JSON.stringify(name)}:${text}`));
      if (Array.isArray(value)) continue;
      const escaped = `"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}"`;
      for (const again of [`"${name}":${JSON.stringify(each)}`, `"${name}":0`, `${escaped}:${JSON.stringify(each)}`])
        texts.push(rest(`${again},${parts[index]}`), rest(`${parts[index]},${again}`));
    }
  };
  visit(document, (text) => text);
  return texts;
}
