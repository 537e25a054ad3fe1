// The one form of documents that say the same. Used by the fingerprint of an order and by the events that carry orders.

/** The keywords of a schema that the form depends on. */
interface Shape {
  properties?: Readonly<Record<string, Shape>>;
  items?: Shape;
  default?: unknown;
}

/** The canonical form of a value; `undefined` for one that means the same as none. */
type Form = (value: unknown) => unknown;

/**
 * Makes a function that puts the documents of a schema into one form: members in the order of the schema, those of a map by name; without
 * defaults, empty lists and empty objects. The document itself stays as it is.
 */
export function canonicalForm(schema: object): Form {
  const { properties, items, default: usual } = schema as Shape;
  if (properties !== undefined) return objectForm(properties);
  if (items !== undefined) return listForm(canonicalForm(items));
  if ('patternProperties' in schema) return mapForm;
  return (value) => (value === usual ? undefined : value);
}

function objectForm(properties: Readonly<Record<string, Shape>>): Form {
  const members = Object.entries(properties).map(([name, schema]) => ({ name, form: canonicalForm(schema) }));
  return (value) => {
    const document = value as Record<string, unknown>;
    const canonical: Record<string, unknown> = {};
    let isEmpty = true;
    for (const { name, form } of members) {
      const member = document[name];
      const kept = member === undefined ? undefined : form(member);
      if (kept === undefined) continue;
      canonical[name] = kept;
      isEmpty = false;
    }
    return isEmpty ? undefined : canonical;
  };
}

function listForm(element: Form): Form {
  return (value) => {
    const list = value as unknown[];
    return list.length === 0 ? undefined : list.map(element);
  };
}

function mapForm(value: unknown): unknown {
  const members = Object.entries(value as object).sort(([one], [other]) => (one < other ? -1 : 1));
  return members.length === 0 ? undefined : Object.fromEntries(members);
}
