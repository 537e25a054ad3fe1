// How the scanner reads a string, by the string's schema. Used by schema-plan.ts.

import { WELL_FORMED } from '../../../../contracts/order/text.ts';
import { type JsonSchema, unknownKeyword } from './json-schema.ts';
import type { TextPlan } from './plan.ts';

/** Longer than any order that the scanner reads. */
const LENGTH_MAX = 0xffff;

type Reading = Pick<TextPlan, 'reader' | 'characters' | 'pattern'> & { least?: number; most?: number };

/** Formats that every text of the scanner has: ASCII has no surrogates. */
const plainFormats: readonly unknown[] = [undefined, WELL_FORMED];

const WORDS = '^[a-z0-9]+(-[a-z0-9]+)*$';
export const ORDER_ID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
/** The reader takes these years only. */
const CENTURY = '^20[0-9]{2}-';

/** `undefined` for the schema of another type. */
export function textPlan(schema: JsonSchema): TextPlan | undefined {
  const { type, format, pattern, minLength = 0, maxLength = LENGTH_MAX } = schema;
  const oneOf = schema.enum ?? (Object.hasOwn(schema, 'const') ? [schema.const] : undefined);
  const hasTexts = Array.isArray(oneOf) && oneOf.every((each) => typeof each === 'string');
  if (!(type === 'string' || (type === undefined && hasTexts)) || (oneOf !== undefined && !hasTexts)) return undefined;
  const { least = 0, most = LENGTH_MAX, ...reading } = readingOf(format, pattern as string | undefined);
  return {
    kind: 'text',
    ...reading,
    min: Math.max(Number(minLength), least),
    max: Math.min(Number(maxLength), most),
    oneOf,
    unread:
      unknownKeyword(schema, ['minLength', 'maxLength', 'pattern', 'format', 'enum', 'const']) ??
      unknownFormat(format, reading),
  };
}

function readingOf(format: unknown, pattern: string | undefined): Reading {
  if (format === 'date-time') return { reader: 'instant', pattern: pattern === CENTURY ? undefined : pattern };
  if (pattern === undefined) return { reader: 'characters' };
  if (pattern === WORDS) return { reader: 'words', least: 1 };
  return classReading(pattern) ?? { reader: 'characters', pattern };
}

/** A pattern that is one class of characters and how many of them there may be. */
const classPattern = /^\^(\[(?:[^[\]\\]|\\.)+\])(?:\{(\d+)(?:(,)(\d+)?)?\}|([*+]))?\$$/;

function classReading(pattern: string): Reading | undefined {
  const match = classPattern.exec(pattern);
  if (match === null) return undefined;
  const [, characters, count, comma, upTo, repeat] = match;
  const most = LENGTH_MAX;
  if (repeat !== undefined) return { reader: 'characters', characters, least: repeat === '+' ? 1 : 0, most };
  const least = Number(count ?? 1);
  return { reader: 'characters', characters, least, most: comma === undefined ? least : Number(upTo ?? most) };
}

function unknownFormat(format: unknown, { reader, pattern }: Reading): string | undefined {
  const isProven =
    plainFormats.includes(format) ||
    (format === 'date-time' && reader === 'instant') ||
    (format === 'uuid' && pattern === ORDER_ID);
  return isProven ? undefined : `its format is ${String(format)}`;
}
