// `if`, `then`, `else` and `allOf` of an object's schema. Used by schema-plan.ts; scanner-source.ts writes them as expressions.

import { isObject, type JsonSchema, unknownKeyword } from './json-schema.ts';
import type { Condition, Member, Shape, Test } from './plan.ts';

/** `undefined` for a schema with a condition that is not known here. */
export function conditionsOf(schema: JsonSchema, members: readonly Member[]): Condition[] | undefined {
  const own = conditionOf(schema, members);
  const parts = schema.allOf ?? [];
  if (own === undefined || !Array.isArray(parts)) return undefined;
  const conditions = [own];
  for (const part of parts) {
    if (!isObject(part)) return undefined;
    const { if: _if, then: _then, else: _else, ...always } = part;
    const condition = conditionOf(part, members);
    const then = shapeOf(always, members);
    if (condition === undefined || then === undefined) return undefined;
    conditions.push(condition, { then });
  }
  return conditions.filter(({ then, otherwise }) => !isEmpty(then) || !isEmpty(otherwise));
}

function isEmpty(shape: Shape | undefined): boolean {
  return shape === undefined || (shape.required.length === 0 && shape.tests.length === 0);
}

function conditionOf(schema: JsonSchema, members: readonly Member[]): Condition | undefined {
  if (schema.if === undefined) return {};
  const [when, then, otherwise] = [schema.if, schema.then ?? {}, schema.else ?? {}].map((each) =>
    isObject(each) ? shapeOf(each, members) : undefined,
  );
  return when && then && otherwise && { when, then, otherwise };
}

function shapeOf(schema: JsonSchema, members: readonly Member[]): Shape | undefined {
  const { type = 'object', required = [], properties = {} } = schema;
  if (type !== 'object' || unknownKeyword(schema, ['required', 'properties']) !== undefined) return undefined;
  if (!isObject(properties)) return undefined;
  const tests: Test[] = [];
  for (const [name, each] of Object.entries(properties)) {
    const member = members.find((one) => one.name === name);
    const test = member && testOf(member, each);
    if (test === undefined) return undefined;
    tests.push(test);
  }
  return { required: required as readonly string[], tests };
}

const testable: readonly string[] = ['text', 'integer', 'boolean'];

function testOf({ name, plan }: Member, schema: unknown): Test | undefined {
  if (!isObject(schema) || !testable.includes(plan.kind)) return undefined;
  if (schema.type !== undefined && schema.type !== (plan.kind === 'text' ? 'string' : plan.kind)) return undefined;
  if (unknownKeyword(schema, ['const', 'enum', 'minimum', 'maximum']) !== undefined) return undefined;
  const isConst = Object.hasOwn(schema, 'const');
  if (isConst && schema.enum !== undefined) return undefined;
  return {
    name,
    oneOf: isConst ? [schema.const] : (schema.enum as readonly unknown[] | undefined),
    min: schema.minimum as number | undefined,
    max: schema.maximum as number | undefined,
  };
}
