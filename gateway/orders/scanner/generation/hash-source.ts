import { Declarations } from './declarations.ts';
import { isHashedItself, type ListPlan, type Member, type ObjectPlan, type Plan } from './plan.ts';

/*
 * Writes the JavaScript of a function that hashes a decoded order. The hash is the scanner's: scanner-source.ts makes the same calls of
 * `ObjectHash`, with the same tags, for the same plan.
 */

/** Tags of what is in a hash of its own: the element of an array, and name and value of a map's entry. */
export const ELEMENT = 1;
export const ENTRY_NAME = 1;
export const ENTRY_VALUE = 2;

/** @returns the body of a function with the parameter `ObjectHash`, which returns the function that hashes */
export function hashSource(order: ObjectPlan): string {
  const writer = new HashWriter();
  const content = { ...order, members: order.members.filter(({ name }) => name !== 'orderId') };
  const members = writer.members(content, 'order', 'hash');
  return `'use strict';
const hash = new ObjectHash();
${writer.declarations.text()}
return (order) => {
hash.begin();
${members}
return hash.digest();
};`;
}

class HashWriter {
  readonly declarations = new Declarations();

  /** Statements that add the members of an object, which the variable `holder` has, to `hash`. */
  members(plan: ObjectPlan, holder: string, hash: string): string {
    return plan.members.map((member) => this.#member(member, holder, hash)).join('\n');
  }

  #member({ name, plan, fallback, tag }: Member, holder: string, hash: string): string {
    const value = this.declarations.name('value');
    const absent = fallback === undefined ? '' : ` else ${scalarSource(hash, tag, fallback)}`;
    return `const ${value} = ${holder}[${JSON.stringify(name)}];
if (${value} !== undefined) { ${this.#value(plan, value, hash, tag)} }${absent}`;
  }

  #value(plan: Plan, value: string, hash: string, tag: number): string {
    switch (plan.kind) {
      case 'text':
        return `${hash}.text(${tag}, ${value});`;
      case 'integer':
        return `${hash}.number(${tag}, ${value});`;
      case 'boolean':
        return `${hash}.number(${tag}, Number(${value}));`;
      case 'list':
        return this.#list(plan, value, hash, tag);
      case 'map':
        return this.#map(value, hash, tag);
      case 'object':
        return `${isHashedItself(plan) ? `${hash}.number(${tag}, 1);` : ''} ${this.members(plan, value, hash)}`;
      default:
        return `${hash}.json(${tag}, ${value});`;
    }
  }

  #list({ element }: ListPlan, list: string, hash: string, tag: number): string {
    const [own, each] = [this.declarations.hash(), this.declarations.name('element')];
    const adding =
      element.kind === 'object' ? this.members(element, each, own) : this.#value(element, each, own, ELEMENT);
    return `${hash}.beginArray();
for (const ${each} of ${list}) {
${own}.begin();
${adding}
${hash}.element(${own});
}
${hash}.endArray(${tag}, ${list}.length);`;
  }

  /** A map may have names that its pattern does not take, with values of any type. */
  #map(map: string, hash: string, tag: number): string {
    const [own, name, value] = [
      this.declarations.hash(),
      this.declarations.name('name'),
      this.declarations.name('value'),
    ];
    return `for (const [${name}, ${value}] of Object.entries(${map})) {
${own}.begin();
${own}.text(${ENTRY_NAME}, ${name});
if (typeof ${value} === 'string') ${own}.text(${ENTRY_VALUE}, ${value}); else ${own}.json(${ENTRY_VALUE}, ${value});
${hash}.entry(${tag}, ${own});
}`;
  }
}

/** A statement that adds a constant to a hash. */
export function scalarSource(hash: string, tag: number, value: string | number | boolean): string {
  return typeof value === 'string'
    ? `${hash}.text(${tag}, ${JSON.stringify(value)});`
    : `${hash}.number(${tag}, ${Number(value)});`;
}
