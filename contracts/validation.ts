import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Static, TSchema } from 'typebox';

/** One reason why a document is not valid. `pointer` is a JSON Pointer (RFC 6901) into the document. */
export interface FieldError {
  pointer: string;
  detail: string;
}

export type Validated<T> = { ok: true; value: T } | { ok: false; errors: FieldError[] };

/** More than these are not reported: the first few tell the author of the document what to mend. */
const ERRORS_MAX = 16;

/**
 * A document with more values than this, which is more than any valid order has, is told its first error only: to find all of them could
 * take thirty times as long as to parse it.
 */
const EXPLAINED_VALUES_MAX = 10_000;

const ajv = new Ajv({
  allErrors: false,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
});
// The CommonJS typing of ajv-formats hides its callable default from ESM.
(addFormats as unknown as (instance: Ajv) => void)(ajv);
const clock = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?`;
const day = '(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31';
shortcut('date-time', new RegExp(`^\\d{4}-(?:${day})T${clock}Z$`));

/** The usual spelling of a format in one expression; whatever it doesn't match is left to the full check. */
function shortcut(name: string, usual: RegExp): void {
  const full = ajv.formats[name] as { validate: (text: string) => boolean };
  ajv.addFormat(name, (text: string) => usual.test(text) || full.validate(text));
}

/** A second instance that goes on after the first error; it runs only for a document already known to be invalid. */
const explaining = new Ajv({
  allErrors: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
});
(addFormats as unknown as (instance: Ajv) => void)(explaining);

/**
 * Compiles a schema once. The fast path stops at the first error; only an invalid document is walked again for all of its
 * errors.
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

/** Whether there are more than `valuesMax` values in a document, at any depth. */
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
        detail: 'is not a known field',
      };
    case 'enum':
      return { pointer: error.instancePath, detail: `must be one of ${error.params.allowedValues.join(', ')}` };
    default:
      return { pointer: error.instancePath, detail: error.message ?? error.keyword };
  }
}

function escapePointer(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}
