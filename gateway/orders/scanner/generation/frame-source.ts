import { scalarSource } from './hash-source.ts';
import type { Condition, Member, ObjectPlan, Shape, Test } from './plan.ts';

/*
 * Writes what the function of an object knows of its members while it runs: which members it has seen, and the values of those that a condition
 * of the schema tests. Used by scanner-source.ts.
 */

export interface Frame {
  hash: string;
  isOrder: boolean;
  /** Those that can be read. The others are never seen. */
  members: readonly Member[];
  /** The members that a condition tests. A text is kept as its index among these texts. */
  tested: ReadonlyMap<Member, readonly string[]>;
}

/** Bits of a small integer: members of a larger object are in several variables. */
const BITS = 31;

export function testedMembers({ conditions }: ObjectPlan, members: readonly Member[]): Map<Member, string[]> {
  const tested = new Map<Member, string[]>();
  const shapes = conditions.flatMap(({ when, then, otherwise }) => [when, then, otherwise]);
  for (const { name, oneOf = [] } of shapes.flatMap((shape) => shape?.tests ?? [])) {
    const member = members.find((one) => one.name === name);
    if (member === undefined) continue;
    const texts = oneOf.filter((value) => typeof value === 'string');
    tested.set(member, [...new Set([...(tested.get(member) ?? []), ...texts])]);
  }
  return tested;
}

export function variablesSource({ members, tested }: Frame): string {
  const words = Array.from({ length: Math.ceil(members.length / BITS) }, (_, word) => `let seen${word} = 0;`);
  return [...words, ...[...tested.keys()].map(({ tag }) => `let member${tag} = -1;`)].join('\n');
}

/** A statement that notes that the member was seen. */
export function seenSource(member: Member, { members }: Frame): string {
  const { word, bit } = bitOf(members.indexOf(member));
  return `seen${word} |= ${bit};`;
}

/** An expression: whether the member was seen. */
export function presenceSource(name: string, { members }: Frame): string {
  const index = members.findIndex((member) => member.name === name);
  if (index < 0) return 'false';
  const { word, bit } = bitOf(index);
  return `((seen${word} & ${bit}) !== 0)`;
}

function bitOf(index: number): { word: number; bit: number } {
  return { word: Math.floor(index / BITS), bit: 1 << (index % BITS) };
}

/** Statements behind the last member: what the schema says of the object as a whole. */
export function endSource(plan: ObjectPlan, frame: Frame): string {
  const required = plan.members.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  const shapes = [requiredSource(required, frame), ...plan.conditions.map((each) => conditionSource(each, frame))];
  const defaults = plan.members.flatMap(({ name, fallback, tag }) =>
    fallback === undefined ? [] : [`if (!${presenceSource(name, frame)}) ${scalarSource(frame.hash, tag, fallback)}`],
  );
  return [...shapes.filter((shape) => shape !== 'true').map((shape) => `if (!${shape}) return -1;`), ...defaults].join(
    '\n',
  );
}

/** An expression: whether all these members were seen. */
function requiredSource(names: readonly string[], frame: Frame): string {
  const masks = new Map<number, number>();
  for (const name of names) {
    const index = frame.members.findIndex((member) => member.name === name);
    if (index < 0) return 'false';
    const { word, bit } = bitOf(index);
    masks.set(word, (masks.get(word) ?? 0) | bit);
  }
  return allOf([...masks].map(([word, mask]) => `(seen${word} & ${mask}) === ${mask}`));
}

function conditionSource({ when, then, otherwise }: Condition, frame: Frame): string {
  return `(${shapeSource(when, frame)} ? ${shapeSource(then, frame)} : ${shapeSource(otherwise, frame)})`;
}

function shapeSource(shape: Shape | undefined, frame: Frame): string {
  if (shape === undefined) return 'true';
  const tests = shape.tests.map((test) => `(!${presenceSource(test.name, frame)} || ${testSource(test, frame)})`);
  return allOf([requiredSource(shape.required, frame), ...tests]);
}

function testSource({ name, oneOf, min, max }: Test, { members, tested }: Frame): string {
  const member = members.find((one) => one.name === name);
  // A member that can't be read is never seen.
  if (member === undefined) return 'false';
  const variable = `member${member.tag}`;
  const expressions: string[] = [];
  if (oneOf !== undefined) {
    const values = oneOf.flatMap((value) => keptAs(value, member, tested.get(member) ?? []));
    expressions.push(anyOf(values.map((value) => `${variable} === ${value}`)));
  }
  // Both keywords are about numbers, and hold for everything else.
  if (min !== undefined && member.plan.kind === 'integer') expressions.push(`${variable} >= ${min}`);
  if (max !== undefined && member.plan.kind === 'integer') expressions.push(`${variable} <= ${max}`);
  return allOf(expressions);
}

/** The number that a function of the scanner keeps for a value of a member; none for a value that the member can't have. */
function keptAs(value: unknown, { plan }: Member, texts: readonly string[]): number[] {
  if (plan.kind === 'text') return typeof value === 'string' ? [texts.indexOf(value)] : [];
  if (plan.kind === 'boolean') return typeof value === 'boolean' ? [Number(value)] : [];
  return typeof value === 'number' ? [value] : [];
}

function allOf(expressions: readonly string[]): string {
  const open = expressions.filter((expression) => expression !== 'true');
  return open.length === 0 ? 'true' : `(${open.join(' && ')})`;
}

function anyOf(expressions: readonly string[]): string {
  return expressions.length === 0 ? 'false' : `(${expressions.join(' || ')})`;
}
