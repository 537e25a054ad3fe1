import { isUtf8 } from 'node:buffer';
import { escapePointer } from '../../contracts/validation.ts';

/*
 * Checks the bytes of a MessagePack frame for three things that the decoder would silently change: text that is not UTF-8 (it replaces characters), two
 * members with the same name (it keeps the last), and extension types (records, references, dates: JSON has none of them).
 */

/** Deeper than any valid frame, which has six levels. */
const DEPTH_MAX = 32;
/** In a map with more members than this the names go into a set, instead of being compared with each other. */
const COMPARED_MAX = 16;

let bytes: Buffer = Buffer.alloc(0);
let at = 0;
/** Where the text that was taken last begins and ends. */
let textFrom = 0;
/** The path to `at`: names, by where their text begins and ends, or indexes with -1 as end. */
const path = new Int32Array(2 * DEPTH_MAX);
/** Where the names of the open maps begin and end, level by level. */
const spans = new Int32Array(2 * COMPARED_MAX * DEPTH_MAX);
/** A client chooses the names, so the answer repeats no more than this of a pointer. */
const POINTER_MAX = 200;

/** @throws TypeError with the fault of the frame; RangeError when the frame ends too early. */
export function checkMessagePack(frame: Buffer): void {
  bytes = frame;
  at = 0;
  takeValue(0);
  if (at !== frame.length) throw new TypeError(`${frame.length - at} bytes follow its value`);
}

function takeValue(depth: number): void {
  const code = bytes[at] ?? 0xc1;
  skip(1);
  if (code <= 0x7f || code >= 0xe0) return;
  if (code <= 0x8f) takeMap(code & 0x0f, depth);
  else if (code <= 0x9f) takeArray(code & 0x0f, depth);
  else if (code <= 0xbf) takeText(code & 0x1f);
  else if (code >= BIN_8 && code <= BIN_32) skip(take(2 ** (code - BIN_8)));
  else if (code >= STR_8 && code <= STR_32) takeText(take(2 ** (code - STR_8)));
  else if (code === ARRAY_16 || code === ARRAY_32) takeArray(take(code === ARRAY_16 ? 2 : 4), depth);
  else if (code === MAP_16 || code === MAP_32) takeMap(take(code === MAP_16 ? 2 : 4), depth);
  else {
    const size = sizes[code];
    if (size === undefined)
      throw new TypeError(`${pointer(depth)} has an extension type; send plain maps, arrays, text and numbers`);
    skip(size);
  }
}

const BIN_8 = 0xc4;
const BIN_32 = 0xc6;
const STR_8 = 0xd9;
const STR_32 = 0xdb;
const ARRAY_16 = 0xdc;
const ARRAY_32 = 0xdd;
const MAP_16 = 0xde;
const MAP_32 = 0xdf;
/** Bytes after the code, for nil, false, true, the floats and the integers. */
const sizes: Readonly<Record<number, number>> = {
  192: 0,
  194: 0,
  195: 0,
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
};

function takeArray(length: number, depth: number): void {
  if (depth === DEPTH_MAX) throw new TypeError(`it nests deeper than ${DEPTH_MAX} levels`);
  for (let index = 0; index < length; index++) {
    path[2 * depth] = index;
    path[2 * depth + 1] = -1;
    takeValue(depth + 1);
  }
}

function takeMap(size: number, depth: number): void {
  if (depth === DEPTH_MAX) throw new TypeError(`it nests deeper than ${DEPTH_MAX} levels`);
  const known = size > COMPARED_MAX ? new Set<string>() : undefined;
  const names = 2 * COMPARED_MAX * depth;
  for (let index = 0; index < size; index++) {
    takeName();
    path[2 * depth] = textFrom;
    path[2 * depth + 1] = at;
    if (known === undefined ? isAmong(names, index) : isIn(known))
      throw new TypeError(`it names the member ${pointer(depth + 1)} twice`);
    takeValue(depth + 1);
  }
}

function takeName(): void {
  const code = bytes[at] ?? 0xc1;
  skip(1);
  if (code >= 0xa0 && code <= 0xbf) takeText(code & 0x1f);
  else if (code >= STR_8 && code <= STR_32) takeText(take(2 ** (code - STR_8)));
  else throw new TypeError('the name of a member is not text');
}

/** Compares the name that was taken last with the earlier names of its map (`spans`, from `names` on), and appends it to them. */
function isAmong(names: number, index: number): boolean {
  for (let other = names; other < names + 2 * index; other += 2)
    if (isSameText(spans[other] as number, spans[other + 1] as number)) return true;
  spans[names + 2 * index] = textFrom;
  spans[names + 2 * index + 1] = at;
  return false;
}

function isSameText(from: number, to: number): boolean {
  if (to - from !== at - textFrom) return false;
  for (let place = from, own = textFrom; place < to; place++, own++) if (bytes[place] !== bytes[own]) return false;
  return true;
}

function isIn(known: Set<string>): boolean {
  const { size } = known;
  return known.add(bytes.toString('latin1', textFrom, at)).size === size;
}

function takeText(length: number): void {
  textFrom = at;
  skip(length);
  for (let place = textFrom; place < at; place++)
    if ((bytes[place] as number) > 0x7f) {
      if (isUtf8(bytes.subarray(place, at))) return;
      throw new TypeError(
        `its text ${JSON.stringify(bytes.toString('utf8', textFrom, at).slice(0, 40))} is not valid UTF-8`,
      );
    }
}

/** A number of this many bytes, the most significant first. */
function take(size: number): number {
  const from = at;
  skip(size);
  let value = 0;
  for (let place = from; place < at; place++) value = value * 256 + (bytes[place] as number);
  return value;
}

function skip(size: number): void {
  if (size > bytes.length - at) throw new RangeError('it ends too early');
  at += size;
}

function pointer(depth: number): string {
  let text = '';
  for (let level = 0; level < depth; level++) {
    const [from = 0, to = 0] = path.subarray(2 * level, 2 * level + 2);
    text += `/${to < 0 ? from : escapePointer(bytes.toString('utf8', from, to))}`;
  }
  return text === '' ? 'the frame' : text.slice(0, POINTER_MAX).toWellFormed();
}
