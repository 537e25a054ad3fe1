// Documents for a JSON Schema, made by fast-check. Used by the tests of the order scanner.

import fc from 'fast-check';
import { patterns } from '../../../contracts/order/text.ts';
import { compileValidator } from '../../../contracts/validation.ts';

export interface Schema {
  type?: string;
  const?: unknown;
  enum?: readonly unknown[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  patternProperties?: Record<string, Schema>;
  minProperties?: number;
  maxProperties?: number;
  default?: unknown;
  if?: unknown;
  allOf?: unknown;
}

/** Long enough to be different, short enough to be fast. */
const LENGTH_MAX = 12;
const ITEMS_MAX = 3;

const instants = fc.constantFrom(
  '2026-11-22T10:00:00Z',
  '2026-02-28T23:59:59.999Z',
  '2026-12-31T00:00:00.000Z',
  '2099-04-30T01:02:03.004Z',
);

const oddTexts = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '"', '\\', '\u007f', '}', '{"', '\0', '\n', '\t', '\u001b', '\u0085', '\ud83d', 'x\ude00', '🍔'),
  fc.constantFrom('a--b', '-a', 'a-', 'A', 'usd', 'US', 'USDX', '0192F1C2-7C1A-7CC0-8000-000000000001'),
);
const oddInstants = fc.constantFrom(
  '2024-02-29T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '2026-11-31T00:00:00.000Z',
  '2026-13-01T00:00:00.000Z',
  '2026-00-01T00:00:00.000Z',
  '2026-01-00T00:00:00.000Z',
  '2026-11-22T24:00:00.000Z',
  '2026-11-22T10:60:00.000Z',
  '2026-11-22T10:00:61.000Z',
  '2016-12-31T23:59:60Z',
  '2026-11-22T10:00:00.00Z',
  '2026-11-22t10:00:00z',
  '2026-11-22 10:00:00Z',
  '2026-11-22T10:00:00+01:00',
  '2026-11-22T10:00:00.0x0Z',
  '20a6-11-22T10:00:00Z',
  '1999-12-31T23:59:59Z',
  '2100-01-01T00:00:00Z',
  '0000-02-29T10:00:00Z',
  '0001-01-01T00:00:00+05:30',
  '9999-12-31T23:59:59.000Z',
  '2026-11-22T10:00:00-06',
);
const oddValues = fc.oneof(
  oddTexts,
  fc.constantFrom(-1, 0, 1, 0.5, -0, 1e3, 1e9, 1e21, -1e9, null, true, false, {}, [], [null], { a: 1 }),
);

/** Valid documents, in characters that JSON needs not escape. */
export function usualDocuments(schema: Schema): fc.Arbitrary<unknown> {
  return usualOf(schema, usualDocuments);
}

/** Documents of which about every second one is valid: here and there a value, a member or a length is wrong, or just at its limit. */
export function nearDocuments(schema: Schema): fc.Arbitrary<unknown> {
  const usual = usualOf(schema, nearDocuments);
  return fc.oneof({ arbitrary: usual, weight: 80 }, { arbitrary: oddOnes(usual, schema), weight: 1 });
}

type Parts = (schema: Schema) => fc.Arbitrary<unknown>;

/** @param partsOf makes the parts of an array, a map or an object */
function usualOf(schema: Schema, partsOf: Parts): fc.Arbitrary<unknown> {
  const { items = {}, minItems = 0, maxItems = ITEMS_MAX } = schema;
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (Object.hasOwn(schema, 'const')) return fc.constant(schema.const);
  if (schema.type === 'integer') return integers(schema);
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'string') return texts(schema);
  if (schema.type === 'array')
    return fc.array(partsOf(items), { minLength: minItems, maxLength: Math.min(maxItems, minItems + ITEMS_MAX) });
  if (schema.patternProperties !== undefined) return maps(schema, partsOf);
  return schema.properties === undefined ? oddValues : objects(schema, schema.properties, partsOf);
}

function integers({ minimum = -999_999_999, maximum = 999_999_999 }: Schema): fc.Arbitrary<number> {
  const few = fc.integer({ min: Math.max(minimum, -9), max: Math.min(maximum, 9) });
  return fc.oneof(few, few, fc.integer({ min: minimum, max: maximum }), fc.constantFrom(minimum, maximum));
}

const plainCharacters = fc.constantFrom(...' !#$()*+,-./0129:;<=>?@AZ[]^_`az{|}~');

function texts({ format, pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') return instants;
  const length = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, LENGTH_MAX)) };
  const isText = pattern === undefined || Object.values(patterns).some((each) => each === pattern);
  if (isText && format === 'email') return fc.emailAddress();
  if (isText) return fc.string({ unit: plainCharacters, ...length });
  return fc
    .stringMatching(new RegExp(pattern), { size: '-1' })
    .filter((text) => text.length >= minLength && text.length <= maxLength);
}

function maps(schema: Schema, partsOf: Parts): fc.Arbitrary<unknown> {
  const [[pattern, value] = ['', {}]] = Object.entries(schema.patternProperties ?? {});
  return fc.dictionary(texts({ pattern }), partsOf(value), {
    minKeys: schema.minProperties ?? 0,
    maxKeys: Math.min(schema.maxProperties ?? ITEMS_MAX, ITEMS_MAX),
    noNullPrototype: true,
  });
}

function objects(schema: Schema, properties: Record<string, Schema>, partsOf: Parts): fc.Arbitrary<unknown> {
  const members = Object.entries(properties).map(([name, each]) => [name, partsOf(each)] as const);
  const requiredKeys = [...(schema.required ?? [])];
  const record = fc.record(Object.fromEntries(members), { requiredKeys, noNullPrototype: true });
  if (schema.if === undefined && schema.allOf === undefined) return record;
  const fitting = record.filter(conditionsOf(schema));
  if (partsOf === usualDocuments) return fitting;
  return fc.oneof({ arbitrary: fitting, weight: 30 }, { arbitrary: record, weight: 1 });
}

/** Whether the conditions of an object's schema hold, whatever its members are. */
function conditionsOf(schema: Schema): (value: unknown) => boolean {
  const conditions = Object.fromEntries(Object.entries(schema).filter(([keyword]) => conditional.has(keyword)));
  const validate = compileValidator(conditions);
  return (value) => validate(value).ok;
}

const conditional = new Set(['if', 'then', 'else', 'allOf']);

function oddOnes(usual: fc.Arbitrary<unknown>, schema: Schema): fc.Arbitrary<unknown> {
  const { type, minimum = 0, maximum = 0, minLength = 0, maxLength = 0, minItems = 0, maxItems = 0 } = schema;
  const oneBeyond = (min: number, max: number) => fc.constantFrom(Math.max(0, min - 1), max, max + 1);
  if (type === 'integer') return fc.oneof(oddValues, fc.constantFrom(minimum - 1, maximum + 1));
  if (schema.format === 'date-time') return fc.oneof(oddValues, oddInstants, oddInstants);
  if (type === 'string') {
    const long = oneBeyond(minLength, maxLength).map((length) => 'x'.repeat(length));
    return fc.oneof(oddValues, long);
  }
  if (type === 'array') {
    const elements = fc.tuple(oneBeyond(minItems, maxItems), usualDocuments(schema.items ?? {}));
    return fc.oneof(
      oddValues,
      elements.map(([length, element]) => Array.from({ length }, () => element)),
    );
  }
  if (schema.properties === undefined && schema.patternProperties === undefined) return oddValues;
  return fc.oneof(oddValues, changedObjects(usual, Object.keys(schema.properties ?? {})));
}

/** Objects with a member less, or a member more. */
function changedObjects(usual: fc.Arbitrary<unknown>, names: readonly string[]): fc.Arbitrary<unknown> {
  const name = fc.constantFrom('', 'x', ...names);
  return fc.tuple(usual, name, fc.boolean(), oddValues).map(([document, changed, isMore, value]) => {
    const { [changed]: _, ...fewer } = document as Record<string, unknown>;
    return isMore ? { ...fewer, [changed]: value, [`${changed}x`]: value } : fewer;
  });
}
