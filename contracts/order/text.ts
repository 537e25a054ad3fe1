// The rules for text in orders and menus. Used by their schemas, by validation.ts and by the gateway's scanner.

import { Type } from 'typebox';

interface TextOptions {
  minLength?: number;
  maxLength: number;
  description?: string;
}

/*
 * Text from clients is stored by PostgreSQL, which refuses U+0000, and is sent as protobuf and UTF-8, which can't represent a lone
 * surrogate. Other control characters cause no error, but they mean nothing on a ticket or in a log line, and a terminal obeys them.
 *
 * Surrogates are checked by a format of our own. A pattern would refuse every emoji in a regular expression without the flag `u`, and our
 * clients' programs use the pattern too.
 */

export const patterns = {
  /** No control characters (C0, DELETE, C1). */
  line: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
  /** The same, except tabs and line ends. */
  lines: '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$',
} as const;

export const WELL_FORMED = 'well-formed-text';

/** One line of text. */
export const line = (options: TextOptions) => Type.String({ ...options, format: WELL_FORMED, pattern: patterns.line });

/** Text that may have tabs and several lines. */
export const lines = (options: TextOptions) =>
  Type.String({ ...options, format: WELL_FORMED, pattern: patterns.lines });

/** What the patterns above take, for the error message. */
export const patternSays: Readonly<Record<string, string>> = {
  [patterns.line]: 'must not hold control characters',
  [patterns.lines]: 'must not hold control characters other than tabs and line breaks',
};

export const wellFormedSays = 'must not hold half of a surrogate pair, such as \\ud83d alone';
