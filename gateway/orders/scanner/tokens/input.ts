// The bytes of the order that is read, and the readers of single characters. Used by the other files of this folder.

/** Longer orders are rare, and are decoded. */
const SCANNED_MAX = 16_384;

/**
 * The order that is read. Behind it stand a zero, which ends every token, and room for reads of several bytes. Orders are copied here because V8
 * then knows one buffer and its length, and because a view reads four bytes at a time.
 */
const bytes = Buffer.alloc(SCANNED_MAX + 64);
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const NOT_THERE = -1;

/** By character code: space, and characters that a string contains without escapes. */
const isSpace = tableOf(/[ \n\r\t]/);
const isPlain = tableOf(/[ !#-[\]-~]/);

export function tableOf(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => Number(characters.test(String.fromCharCode(code))));
}

/** @returns whether the order is short enough */
function load(input: Buffer): boolean {
  if (input.length > SCANNED_MAX) return false;
  bytes.set(input);
  bytes[input.length] = 0;
  return true;
}

function skipSpace(from: number): number {
  let at = from;
  while (isSpace[bytes[at] as number] === 1) at++;
  return at;
}

function takeCode(from: number, code: number): number {
  if (bytes[from] === code) return from + 1;
  const at = skipSpace(from);
  return bytes[at] === code ? at + 1 : NOT_THERE;
}

function isText(from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false;
  for (let index = 0; index < text.length; index++) if (bytes[from + index] !== text[index]) return false;
  return true;
}

export const input = { bytes, view, isPlain, load, skipSpace, takeCode, isText };

export const codes = { QUOTE: 0x22, DASH: 0x2d, DOT: 0x2e, ZERO: 0x30, NINE: 0x39, COLON: 0x3a } as const;
