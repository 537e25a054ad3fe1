// Changes and compares documents part by part. Used by the tests of the order scanner.

import type { Schema } from './schema-documents.ts';

/** The document with one part replaced by what another document has there. */
export function withPartOf(document: unknown, donor: unknown, draw: (below: number) => number): unknown {
  if (typeof document !== 'object' || document === null || typeof donor !== 'object' || donor === null) return donor;
  const names = [...new Set([...Object.keys(document), ...Object.keys(donor)])];
  if (names.length === 0 || Array.isArray(document) !== Array.isArray(donor) || draw(8) === 0) return donor;
  const name = names[draw(names.length)] as string;
  const copy = structuredClone(document) as Record<string, unknown>;
  const part = withPartOf(copy[name], (donor as Record<string, unknown>)[name], draw);
  if (Array.isArray(copy) && Number(name) >= copy.length) copy.push(part);
  else if (part !== undefined) copy[name] = part;
  else if (Array.isArray(copy)) copy.splice(Number(name), 1);
  else delete copy[name];
  return copy;
}

/** JSON of what a document says: members in one order, without those that have their default, and without empty arrays and maps. */
export function normalForm(schema: Schema, document: unknown): string {
  return JSON.stringify(normal(schema, document)) ?? '';
}

function normal(schema: Schema | undefined, value: unknown): unknown {
  if (value === undefined || (schema?.default !== undefined && value === schema.default)) return undefined;
  if (Array.isArray(value)) {
    if (schema?.type === 'array' && value.length === 0) return undefined;
    return value.map((each) => normal(schema?.items, each) ?? [schema?.items?.type ?? each]);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (schema?.patternProperties !== undefined && Object.keys(value).length === 0) return undefined;
  const parts = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(parts.map(([name, each]) => [name, normal(schema?.properties?.[name], each)]));
}
