// Compiles schemas into validators that list the errors of a document. Used for orders, menus, events, tickets and screens' messages.

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Static, TSchema } from 'typebox';
import { instantSays, instantYears, instantYearsSay, isInstant } from './order/instant.ts';
import { patternSays, WELL_FORMED, wellFormedSays } from './order/text.ts';

/** One reason why a document is not valid. `pointer` is a JSON Pointer (RFC 6901) into the document. */
export interface FieldError {
  pointer: string;
  detail: string;
}

export type Validated<T> = { ok: true; value: T } | { ok: false; errors: FieldError[] };

/** At most this many are reported: the first ones tell the author of the document what to correct. */
const ERRORS_MAX = 16;

/**
 * For a document with more values than this, which no valid order has, only the first error is reported: finding all of them could take
 * thirty times as long as parsing.
 */
const EXPLAINED_VALUES_MAX = 10_000;

/** The formats of our schemas that ajv does not have, or checks less strictly than later readers of an order. */
export const formats: Readonly<Record<string, (text: string) => boolean>> = {
  // The check in ajv-formats takes offsets without minutes and leap seconds.
  'date-time': isInstant,
  [WELL_FORMED]: (text) => text.isWellFormed(),
};

const ajv = createAjv({ allErrors: false });

/** A second instance that continues after the first error. It runs only for a document that is known to be invalid. */
const explaining = createAjv({ allErrors: true });

function createAjv({ allErrors }: { allErrors: boolean }): Ajv {
  const instance = new Ajv({
    allErrors,
    // The explanation of an error needs the schema that it comes from.
    verbose: allErrors,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
  });
  // The CommonJS typing of ajv-formats hides its callable default from ESM.
  (addFormats as unknown as (instance: Ajv) => void)(instance);
  for (const [name, check] of Object.entries(formats)) instance.addFormat(name, check);
  return instance;
}

/**
 * Compiles a schema once. The fast path stops at the first error. Only an invalid document is checked a second time, for all its errors.
 */
export function compileValidator<S extends TSchema>(schema: S): (value: unknown) => Validated<Static<S>> {
  const check: ValidateFunction = ajv.compile(schema);
  let explain: ValidateFunction | undefined;
  return (value) => {
    if (check(value)) return { ok: true, value: value as Static<S> };
    let errors = check.errors ?? [];
    if (!hasMoreValues(value, EXPLAINED_VALUES_MAX)) {
      explain ??= explaining.compile(schema);
      explain(value);
      errors = explain.errors ?? [];
    }
    return {
      ok: false,
      errors: errors
        .filter((error) => error.keyword !== 'if')
        .slice(0, ERRORS_MAX)
        .map(fieldError),
    };
  };
}

/** Whether a document has more than `valuesMax` values, at any depth. */
function hasMoreValues(document: unknown, valuesMax: number): boolean {
  const left = [document];
  let seen = 1;
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== 'object' || value === null) continue;
    const values = Array.isArray(value) ? value : Object.values(value);
    seen += values.length;
    if (seen > valuesMax) return true;
    left.push(...values);
  }
  return false;
}

function fieldError(error: ErrorObject): FieldError {
  switch (error.keyword) {
    case 'required':
      return { pointer: `${error.instancePath}/${escapePointer(error.params.missingProperty)}`, detail: 'is required' };
    case 'additionalProperties':
      return {
        pointer: `${error.instancePath}/${escapePointer(error.params.additionalProperty)}`,
        detail: `is not a ${takenNames(error) ?? 'known field'}`,
      };
    case 'enum':
      return { pointer: error.instancePath, detail: `must be one of ${error.params.allowedValues.join(', ')}` };
    case 'format':
      return { pointer: error.instancePath, detail: formatSays[error.params.format] ?? messageOf(error) };
    case 'pattern':
      return { pointer: error.instancePath, detail: saysOf(error.params.pattern) ?? messageOf(error) };
    default:
      return { pointer: error.instancePath, detail: messageOf(error) };
  }
}

/** What an object with names of the client's choice takes as a name. */
function takenNames({ parentSchema }: ErrorObject): string | undefined {
  const [pattern] = Object.keys(parentSchema?.patternProperties ?? {});
  return pattern === undefined ? undefined : `name that matches ${pattern}`;
}

const formatSays: Readonly<Record<string, string>> = { 'date-time': instantSays, [WELL_FORMED]: wellFormedSays };

function saysOf(pattern: string): string | undefined {
  return pattern === instantYears ? instantYearsSay : patternSays[pattern];
}

function messageOf({ message, keyword }: ErrorObject): string {
  return message ?? keyword;
}

/** A name as a segment of a JSON Pointer. */
export function escapePointer(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * What is wrong with a text that `JSON.parse` has refused, without the piece of the text that the error may quote: it may be a payment token, and
 * the fault goes into logs and dead letters.
 */
export function jsonFault(error: unknown): string {
  return (error as Error).message.replace(/^(Unexpected token .+?), .*$/s, '$1');
}
