import { Type } from 'typebox';

interface TextOptions {
  minLength?: number;
  maxLength: number;
  description?: string;
}

/*
 * Text that a client chooses is stored by PostgreSQL, which refuses U+0000, and leaves as protobuf and in UTF-8, which have no place for half of
 * a surrogate pair. Other control characters no step refuses, but they mean nothing on a ticket or a log line, and a terminal obeys them.
 *
 * The surrogates are a format of our own, because the pattern would refuse every emoji in a regular expression without the flag `u`,
 * and the programs of our clients read the pattern too.
 */

export const patterns = {
  /** No control characters (C0, DELETE, C1). */
  line: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
  /** The same, but for tabs and the ends of lines. */
  lines: '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$',
} as const;

export const WELL_FORMED = 'well-formed-text';

/** One line of text. */
export const line = (options: TextOptions) => Type.String({ ...options, format: WELL_FORMED, pattern: patterns.line });

/** Text that may have tabs and several lines. */
export const lines = (options: TextOptions) =>
  Type.String({ ...options, format: WELL_FORMED, pattern: patterns.lines });

/** What the patterns above take, in words, for the answer to whoever sent something else. */
export const patternSays: Readonly<Record<string, string>> = {
  [patterns.line]: 'must not hold control characters',
  [patterns.lines]: 'must not hold control characters other than tabs and line breaks',
};

export const wellFormedSays = 'must not hold half of a surrogate pair, such as \\ud83d alone';
