// Reads a JSON Schema into a plan. Used by order-scanner.ts.

import { conditionsOf } from './conditions.ts';
import { isObject, type JsonSchema, unknownKeyword } from './json-schema.ts';
import type { IntegerPlan, ListPlan, MapPlan, Member, ObjectPlan, OtherPlan, Plan, Scalar } from './plan.ts';
import { textPlan } from './text-plan.ts';

/** More entries than this make the search for a repeated name slow. */
const MAP_ENTRIES_MAX = 64;

/** @param nextTag gives the tags of the members */
export function planOf(schema: unknown, nextTag: () => number): Plan {
  if (!isObject(schema)) return { kind: 'other', unread: 'its schema is not an object' };
  if (schema.type === 'object' && schema.properties === undefined && isObject(schema.patternProperties))
    return mapPlan(schema, schema.patternProperties);
  if (schema.type === 'object') return objectPlan(schema, nextTag);
  if (schema.type === 'array') return listPlan(schema, nextTag);
  if (schema.type === 'integer') return integerPlan(schema);
  if (schema.type === 'boolean') return { kind: 'boolean', unread: unknownKeyword(schema, []) };
  return textPlan(schema) ?? { kind: 'other', unread: `its type is ${String(schema.type ?? 'not given')}` };
}

/** Nine digits, which is all that the scanner reads. */
const INTEGER_MAX = 999_999_999;

function integerPlan(schema: JsonSchema): IntegerPlan {
  const { minimum = -INTEGER_MAX, maximum = INTEGER_MAX } = schema;
  return {
    kind: 'integer',
    min: Number(minimum),
    max: Number(maximum),
    unread: unknownKeyword(schema, ['minimum', 'maximum']),
  };
}

/** More than there are in any order that the scanner reads. */
const ITEMS_MAX = 0xffff;

function listPlan(schema: JsonSchema, nextTag: () => number): ListPlan {
  const element = planOf(schema.items, nextTag);
  return {
    kind: 'list',
    min: Number(schema.minItems ?? 0),
    max: Number(schema.maxItems ?? ITEMS_MAX),
    element,
    unread: unknownKeyword(schema, ['items', 'minItems', 'maxItems']) ?? element.unread,
  };
}

function mapPlan(schema: JsonSchema, patternProperties: JsonSchema): MapPlan | OtherPlan {
  const [[pattern, valueSchema] = ['', undefined], ...others] = Object.entries(patternProperties);
  const name = textPlan({ type: 'string', pattern });
  const value = isObject(valueSchema) ? textPlan(valueSchema) : undefined;
  const max = Number(schema.maxProperties ?? Number.POSITIVE_INFINITY);
  if (others.length > 0 || name === undefined || value === undefined || max > MAP_ENTRIES_MAX)
    return { kind: 'other', unread: `it is not a map of at most ${MAP_ENTRIES_MAX} texts with one pattern of names` };
  return {
    kind: 'map',
    min: Number(schema.minProperties ?? 0),
    max,
    name,
    value,
    unread:
      unknownKeyword(schema, ['patternProperties', 'minProperties', 'maxProperties', 'additionalProperties']) ??
      value.unread,
  };
}

function objectPlan(schema: JsonSchema, nextTag: () => number): ObjectPlan | OtherPlan {
  const { properties, required = [] } = schema;
  if (!isObject(properties) || schema.additionalProperties !== false || schema.patternProperties !== undefined)
    return { kind: 'other', unread: 'its schema does not list all members (additionalProperties: false)' };
  const members = Object.entries(properties).map(([name, each]) =>
    memberOf(name, each, (required as readonly string[]).includes(name), nextTag),
  );
  const conditions = conditionsOf(schema, members);
  return {
    kind: 'object',
    members,
    conditions: conditions ?? [],
    unread:
      unknownKeyword(schema, ['properties', 'required', 'additionalProperties', 'if', 'then', 'else', 'allOf']) ??
      (conditions === undefined ? 'a condition of its schema is not known here' : undefined),
  };
}

/** What a name may have so that it is written without escapes. */
const plainName = /^[ !#-[\]-~]+$/;

function memberOf(name: string, schema: unknown, isRequired: boolean, nextTag: () => number): Member {
  const tag = nextTag();
  const plan = planOf(schema, nextTag);
  const fallback = isObject(schema) ? schema.default : undefined;
  if (!plainName.test(name)) plan.unread ??= 'its name needs escapes';
  if (fallback === undefined) return { name, plan, isRequired, tag };
  if (!isOfKind(fallback, plan)) plan.unread ??= 'its default is not known here';
  return { name, plan, isRequired, fallback: isOfKind(fallback, plan) ? fallback : undefined, tag };
}

function isOfKind(value: unknown, { kind }: Plan): value is Scalar {
  if (kind === 'integer') return Number.isSafeInteger(value);
  return (kind === 'text' && typeof value === 'string') || (kind === 'boolean' && typeof value === 'boolean');
}
