// Reads the name of a member, by the tables of member-names.ts. Used by index.ts.

import { codes, input } from './input.ts';
import { NAME_WORDS as importedNameWords, type Names } from './member-names.ts';

const { bytes, view, isPlain, takeCode, isText } = input;
const { QUOTE, COLON } = codes;
const NAME_WORDS = importedNameWords;
const NOT_THERE = -1;

/** Place of the name that was taken last. */
let place = 0;

/**
 * A name and its colon; `before` is the place of the member before this one. Most clients send members in the same order each time, so the
 * name that came here in the object before is tried first: name, second quote and colon are compared as three words.
 */
function takeName(from: number, names: Names, before: number): number {
  const next = names.next[before] as number;
  const word = NAME_WORDS * next;
  const { words, masks } = names;
  if (
    bytes[from] === QUOTE &&
    (view.getInt32(from + 1, true) & (masks[word] as number)) === words[word] &&
    (view.getInt32(from + 5, true) & (masks[word + 1] as number)) === words[word + 1] &&
    (view.getInt32(from + 9, true) & (masks[word + 2] as number)) === words[word + 2]
  ) {
    const width = names.widths[next] as number;
    if (width <= 4 * NAME_WORDS + 1 || endsName(from, width, names.texts[next] as Uint8Array)) {
      place = next;
      return from + width;
    }
  }
  const at = takeAnyName(from, names);
  if (at >= 0) names.next[before] = place;
  return at;
}

/** Whether a name that is longer than the words stands here, with its second quote and its colon. */
function endsName(from: number, width: number, text: Uint8Array): boolean {
  const end = from + width;
  return bytes[end - 2] === QUOTE && bytes[end - 1] === COLON && isText(from + 1, end - 2, text);
}

/** The same for a name that did not come here in the object before. */
function takeAnyName(from: number, names: Names): number {
  const begin = takeCode(from, QUOTE);
  if (begin < 0) return NOT_THERE;
  let at = begin;
  while (isPlain[bytes[at] as number] === 1) at++;
  const length = at - begin;
  if (bytes[at] !== QUOTE || length === 0 || length > names.lengthMax) return NOT_THERE;
  let candidate = names.firsts[(length << 7) | (bytes[begin] as number)] as number;
  while (candidate !== 0 && !isText(begin, at, names.texts[candidate] as Uint8Array))
    candidate = names.others[candidate] as number;
  if (candidate === 0) return NOT_THERE;
  place = candidate;
  return takeCode(at + 1, COLON);
}

export const nameToken = { takeName, placeTaken: () => place };
