// Makes and reads the codes that waiting screens show, and the tokens of screens. Used by the door of the display, by the agent and by the commands.

import { createHash, randomBytes, randomInt } from 'node:crypto';

/** Letters and digits that are not taken for each other on a screen or over a telephone: no 0 and O, no 1, I and L, no U and V. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTWXYZ';
const CODE_LENGTH = 6;

export function newCode(): string {
  return Array.from({ length: CODE_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
}

/** The code that a person has typed, with its spaces, hyphens and small letters; `undefined` for what no screen shows. */
export function codeFrom(text: string): string | undefined {
  const code = text.toUpperCase().replaceAll(/[\s-]/g, '');
  return code.length === CODE_LENGTH && [...code].every((letter) => ALPHABET.includes(letter)) ? code : undefined;
}

/** As a person reads it: `K7M 3QP`. */
export function spokenCode(code: string): string {
  return `${code.slice(0, CODE_LENGTH / 2)} ${code.slice(CODE_LENGTH / 2)}`;
}

/** 256 random bits. The prefix lets a scanner for leaked secrets find it. */
export function newScreenToken(): string {
  return `omscr_${randomBytes(32).toString('base64url')}`;
}

const TOKEN = /^omscr_[\w-]{43}$/;

export function isScreenToken(text: string): boolean {
  return TOKEN.test(text);
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
