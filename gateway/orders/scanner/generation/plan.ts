/*
 * What a JSON Schema says about reading and hashing its documents. The two source generators beside this file (scanner-source.ts, hash-source.ts)
 * work from one plan, so that both make the same hash.
 *
 * `unread` says why the scanner can't read a value: the schema uses a keyword, a format or a type that is not known here. The value is hashed
 * all the same, and the scanner leaves every order that has the value to the general way.
 */

export type Plan = TextPlan | IntegerPlan | BooleanPlan | ListPlan | MapPlan | ObjectPlan | OtherPlan;

export interface Readable {
  unread?: string | undefined;
}

export interface TextPlan extends Readable {
  kind: 'text';
  /** The reader in tokens/text-tokens.ts. */
  reader: 'characters' | 'words' | 'instant';
  /** A character class that all characters must be in, for the reader `characters`; absent for all that need no escape. */
  characters?: string | undefined;
  min: number;
  max: number;
  oneOf?: readonly string[] | undefined;
  /** A pattern that the reader does not prove: the text is tested against the pattern. */
  pattern?: string | undefined;
}

export interface IntegerPlan extends Readable {
  kind: 'integer';
  min: number;
  max: number;
}

export interface BooleanPlan extends Readable {
  kind: 'boolean';
}

export interface ListPlan extends Readable {
  kind: 'list';
  min: number;
  max: number;
  element: Plan;
}

/** An object whose names the client chooses, with texts as values. */
export interface MapPlan extends Readable {
  kind: 'map';
  min: number;
  max: number;
  name: TextPlan;
  value: TextPlan;
}

export interface ObjectPlan extends Readable {
  kind: 'object';
  members: readonly Member[];
  conditions: readonly Condition[];
}

/** Any JSON value: hashed as JSON, never read. */
export interface OtherPlan {
  kind: 'other';
  unread: string;
}

export type Scalar = string | number | boolean;

export interface Member {
  name: string;
  plan: Plan;
  isRequired: boolean;
  /** The schema's `default`: a member that is absent is hashed as if it had this value. */
  fallback?: Scalar | undefined;
  /** The number of the member in the whole order, from 1. The hash mixes the tag with the value. */
  tag: number;
}

/** Where `when` holds, `then` must hold, else `otherwise`. An absent shape always holds. */
export interface Condition {
  when?: Shape | undefined;
  then?: Shape | undefined;
  otherwise?: Shape | undefined;
}

/** Members that must be there, and tests that members pass or are absent. */
export interface Shape {
  required: readonly string[];
  tests: readonly Test[];
}

export interface Test {
  name: string;
  oneOf?: readonly unknown[] | undefined;
  min?: number | undefined;
  max?: number | undefined;
}

/**
 * Members of an object in an object are added to the hash of the outer object, by tags of their own. So an object that may have no such member
 * is added itself, or else it would be hashed as if it were absent.
 */
export function isHashedItself({ members }: ObjectPlan): boolean {
  const always = (member: Member) =>
    !['list', 'map', 'object'].includes(member.plan.kind) && (member.isRequired || member.fallback !== undefined);
  return !members.some(always);
}
