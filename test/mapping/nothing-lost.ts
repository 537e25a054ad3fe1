import type { Menu } from '../../contracts/order/menu.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { Field, MappedField, Till } from '../../lab/mapping/mapper.ts';

/** A single value of a document, and where it is: `adjustments[tax].amount`, `line_items[].note`. */
interface Leaf {
  path: string;
  value: unknown;
}

/** Elements of lists that the path names: our adjustments, Toast's special requests, Uber's allergens in words. */
const namedKinds = new Set(['SPECIAL_REQUEST', 'OTHER']);

interface Trip {
  sample: unknown;
  order: Order;
  fields: readonly Field[];
  menu: Menu;
  till: Till;
}

/** Every value of the sample that no field mentions, or that is not where its field says; and every field that the sample does not have. */
export function complaints({ sample, order, fields, menu, till }: Trip): string[] {
  const rules = fields.map((field) => ({ field, fits: expression(field.from), values: [] as unknown[] }));
  const found: string[] = [];
  for (const { path, value } of leavesOf(sample)) {
    const first = rules.find(({ fits }) => fits.test(path));
    if (first === undefined) found.push(`${path} is neither mapped nor left out with a reason`);
    for (const rule of rules) if (rule.field.from === first?.field.from) rule.values.push(value);
  }
  for (const { field, values } of rules) if (values.length === 0) found.push(`the sample has no ${field.from}`);
  const places = [...leavesOf(order), ...menuNames(menu).map((value) => ({ path: 'menu', value }))];
  const mapped = rules.flatMap(({ field, values }) =>
    'to' in field ? [{ field, values: values.map((value) => (field.as ? field.as(value, till) : value)) }] : [],
  );
  return [...found, ...checkPlaces(mapped, places)];
}

interface Mapped {
  field: MappedField;
  values: unknown[];
}

function checkPlaces(mapped: readonly Mapped[], places: readonly Leaf[]): string[] {
  const at = (to: string) => {
    const fits = expression(to);
    return places.filter(({ path }) => fits.test(path)).map(({ value }) => value);
  };
  const targets = new Set(mapped.map(({ field }) => field.to));
  return [...targets].flatMap((to) => {
    const there = at(to);
    const of = (...checks: MappedField['check'][]) =>
      mapped
        .filter(({ field }) => field.to === to && checks.includes(field.check))
        .flatMap(({ field, values }) => values.filter((value) => field.check !== 'zero' || value !== 0));
    const sums = of('sum');
    return [
      ...without(of(undefined, 'each', 'zero'), there).map((value) => `${to} has no ${value}`),
      ...of('same')
        .filter((value) => there.length === 0 || there.some((place) => place !== value))
        .map((value) => `${to} is not ${value} alone`),
      ...of('within')
        .filter((value) => !there.some((place) => String(place).includes(String(value))))
        .map((value) => `no ${to} says ${value}`),
      ...(sums.length > 0 && total(sums) !== total(there)
        ? [`${to} adds up to ${total(there)}, not ${total(sums)}`]
        : []),
    ];
  });
}

/** The values that have no place of their own. */
function without(values: readonly unknown[], places: readonly unknown[]): unknown[] {
  const free = [...places];
  return values.filter((value) => {
    const place = free.indexOf(value);
    if (place >= 0) free.splice(place, 1);
    return place < 0;
  });
}

function total(values: readonly unknown[]): number {
  return values.reduce((sum: number, value) => sum + Number(value), 0);
}

function menuNames({ items }: Menu): string[] {
  return items.flatMap(({ name, modifiers }) => [name, ...modifiers.map((modifier) => modifier.name)]);
}

const marks: Readonly<Record<string, string>> = {
  '.**.': String.raw`\.(?:.+\.)?`,
  '**.': String.raw`(?:.+\.)?`,
  '.**': String.raw`\..+`,
  '*': '[^.]*',
  '[]': String.raw`\[(?:${[...namedKinds].join('|')})?\]`,
};

/** `**.` any depth, `.**` everything beneath, `*` any letters, `[]` any element. */
function expression(path: string): RegExp {
  return new RegExp(
    `^${path.replaceAll(/\.\*\*\.|\*\*\.|\.\*\*|\*|\[\]|[.[\]]/g, (mark) => marks[mark] ?? `\\${mark}`)}$`,
  );
}

export function leavesOf(document: unknown, path = ''): Leaf[] {
  if (typeof document !== 'object' || document === null) return document === '' ? [] : [{ path, value: document }];
  if (Array.isArray(document)) return document.flatMap((element) => leavesOf(element, `${path}[${kindOf(element)}]`));
  return Object.entries(document).flatMap(([name, value]) => leavesOf(value, path === '' ? name : `${path}.${name}`));
}

function kindOf(element: unknown): string {
  const { kind, selectionType, type } = (element ?? {}) as Record<string, unknown>;
  if (typeof kind === 'string') return kind;
  return [selectionType, type].map(String).find((name) => namedKinds.has(name)) ?? '';
}
