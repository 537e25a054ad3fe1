import { escapePointer } from '../../../contracts/validation.ts';

/*
 * Finds two members with the same name in one object. JSON.parse silently keeps the last; another reader of the same bytes may keep the first, and
 * the log has both. So `decodeJson` refuses such a document.
 */

/**
 * JSON Pointer of the first member whose name occurs twice in its object, also when the names are escaped differently.
 * @param bytes JSON text in UTF-8 that `JSON.parse` takes
 * @param document what `JSON.parse` made of it
 */
export function repeatedMember(bytes: Buffer, document: unknown): string | undefined {
  // JSON.parse drops repeated members, so the counts differ. Counting costs a fraction of remembering all names.
  return colonsOf(bytes) === membersOf(document) ? undefined : findRepeated(bytes.toString('utf8'));
}

/** A client chooses the names, so the answer repeats no more than this of a pointer. */
const POINTER_MAX = 200;

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Members in the text: one for each colon outside of strings. */
function colonsOf(bytes: Buffer): number {
  let colons = 0;
  const { length } = bytes;
  for (let at = 0; at < length; at++) {
    const code = bytes[at];
    if (code === QUOTE) {
      at++;
      while (bytes[at] !== QUOTE && at < length) at += bytes[at] === BACKSLASH ? 2 : 1;
    } else if (code === COLON) colons++;
  }
  return colons;
}

/** Deeper than any order. */
const RECURSION_MAX = 64;

/** Members of all objects of a document. */
function membersOf(document: unknown, depth = 0): number {
  if (typeof document !== 'object' || document === null) return 0;
  // A client chooses the depth, so recursion needs a limit.
  if (depth === RECURSION_MAX) return membersBelow(document);
  let members = 0;
  if (Array.isArray(document)) {
    for (const element of document) members += membersOf(element, depth + 1);
    return members;
  }
  for (const name in document) members += 1 + membersOf((document as Record<string, unknown>)[name], depth + 1);
  return members;
}

/** The same without recursion, which is slower. */
function membersBelow(document: object): number {
  const left = [document];
  let members = 0;
  for (let holder = left.pop(); holder !== undefined; holder = left.pop()) {
    const values = Object.values(holder);
    if (!Array.isArray(holder)) members += values.length;
    for (const value of values) if (typeof value === 'object' && value !== null) left.push(value);
  }
  return members;
}

/** An object or array that contains the current place of the text. */
interface Open {
  /** Names so far; absent in an array. */
  names?: Set<string>;
  /** The next string is a name. */
  expectsName: boolean;
  /** Name of the member, or index of the element, that contains the current place. */
  step: string | number;
}

function findRepeated(text: string): string | undefined {
  const open: Open[] = [];
  for (let at = 0; at < text.length; at++) {
    const inside = open.at(-1);
    switch (text[at]) {
      case '{':
        open.push({ names: new Set(), expectsName: true, step: '' });
        break;
      case '[':
        open.push({ expectsName: false, step: 0 });
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        if (inside?.names !== undefined) inside.expectsName = true;
        else if (inside !== undefined) inside.step = Number(inside.step) + 1;
        break;
      case '"': {
        const from = at;
        at = endOfString(text, at);
        if (inside?.names === undefined || !inside.expectsName) break;
        inside.expectsName = false;
        const name = JSON.parse(text.slice(from, at + 1)) as string;
        inside.step = name;
        if (inside.names.has(name))
          return open
            .map(({ step }) => `/${escapePointer(String(step))}`)
            .join('')
            .slice(0, POINTER_MAX);
        inside.names.add(name);
      }
    }
  }
  return undefined;
}

/** Place of the second quote of the string that begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
