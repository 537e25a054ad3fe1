// What the files of this folder need to know of JSON Schema.

export type JsonSchema = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keywords that allow and refuse nothing. */
const annotations = new Set(['$id', '$comment', 'title', 'description', 'examples', 'default', 'deprecated', 'type']);

/** Why a schema can't be read, if it has a keyword that is neither an annotation nor one of those that the caller handles. */
export function unknownKeyword(schema: JsonSchema, handled: readonly string[]): string | undefined {
  const unknown = Object.keys(schema).find((name) => !annotations.has(name) && !handled.includes(name));
  return unknown && `its schema has the keyword ${unknown}`;
}
