import { tokens } from '../tokens/index.ts';
import { namesOf } from '../tokens/member-names.ts';
import { Declarations } from './declarations.ts';
import { endSource, type Frame, presenceSource, seenSource, testedMembers, variablesSource } from './frame-source.ts';
import { ELEMENT, ENTRY_NAME, ENTRY_VALUE } from './hash-source.ts';
import { isHashedItself, type ListPlan, type MapPlan, type Member, type ObjectPlan, type Plan } from './plan.ts';
import { ORDER_ID } from './text-plan.ts';
import { choiceSource, textSource } from './text-source.ts';

/*
 * Writes the JavaScript of the scanner: one function for each object, array and map of the schema, with the readers of tokens/ for the rest. Each
 * function takes a position and returns the position behind the value, or -1.
 */

export interface Source {
  /** The body of a function with the parameters `tokens`, `ObjectHash` and `constants`, which returns the function `scan`. */
  text: string;
  constants: readonly unknown[];
}

export function scannerSource(order: ObjectPlan): Source {
  const writer = new ScannerWriter();
  const root = writer.object(order, 'hash', true);
  const text = `'use strict';
const { ${Object.keys(tokens).join(', ')} } = tokens;
const hash = new ObjectHash();
let storeId = '';
let likely = '';
${writer.declarations.text()}
return (input, likelyStore) => {
if (!load(input)) return undefined;
likely = likelyStore;
hash.begin();
const at = ${root}(0);
if (at < 0 || skipSpace(at) !== input.length) return undefined;
return { key: keyTaken(), storeId, content: hash.digest() };
};`;
  return { text, constants: writer.declarations.constants };
}

const [COMMA, COLON] = [0x2c, 0x3a];
const [OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];
const nextOrBreak = `if (bytes[at] !== ${COMMA}) at = skipSpace(at);
if (bytes[at] !== ${COMMA}) break;
at++;`;

class ScannerWriter {
  readonly declarations = new Declarations();

  /** @returns the name of a function that reads an object and adds its members to `hash` */
  object(plan: ObjectPlan, hash: string, isOrder = false): string {
    const name = this.declarations.name('object');
    const members = plan.members.filter((member) => member.plan.unread === undefined);
    if (plan.unread !== undefined || members.length === 0) {
      this.declarations.lines.push(`function ${name}() { return -1; }`);
      return name;
    }
    const frame: Frame = { hash, isOrder, members, tested: testedMembers(plan, members) };
    const names = this.declarations.constant(namesOf(members.map((member) => member.name)));
    const cases = members.map((member, index) => `case ${index + 1}: {\n${this.#member(member, frame)}\nbreak;\n}`);
    this.declarations.lines.push(`function ${name}(from) {
${variablesSource(frame)}
let place = 0;
let at = takeCode(from, ${OPENING_BRACE});
while (at >= 0) {
at = takeName(at, ${names}, place);
if (at < 0) return -1;
place = placeTaken();
switch (place) {
${cases.join('\n')}
}
if (at < 0) return -1;
${nextOrBreak}
}
if (at < 0) return -1;
${endSource(plan, frame)}
return takeCode(at, ${CLOSING_BRACE});
}`);
    return name;
  }

  #member(member: Member, frame: Frame): string {
    const { plan, tag, name } = member;
    const seen = `if (${presenceSource(name, frame)}) return -1;\n${seenSource(member, frame)}\n`;
    if (frame.isOrder && name === 'orderId') return `${seen}at = ${isOrderId(plan) ? 'takeOrderId(at)' : '-1'};`;
    const reading = seen + this.#value(plan, frame.hash, tag);
    if (frame.isOrder && name === 'storeId')
      return `${reading}\nif (at < 0) return -1;\nstoreId = textBefore(at, likely);`;
    const texts = frame.tested.get(member);
    if (texts === undefined) return reading;
    if (plan.kind !== 'text') return `${reading}\nmember${tag} = valueTaken();`;
    return `${reading}\nif (at < 0) return -1;\nmember${tag} = ${choiceSource(texts, this.declarations)};`;
  }

  /** Statements that read a value at `at`. */
  #value(plan: Plan, hash: string, tag: number): string {
    switch (plan.kind) {
      case 'text':
        return textSource(plan, hash, tag, this.declarations);
      case 'integer':
        return `at = takeInteger(at, ${hash}, ${tag}, ${plan.min}, ${plan.max});`;
      case 'boolean':
        return `at = takeBoolean(at, ${hash}, ${tag});`;
      case 'list':
        return `at = ${this.#list(plan, hash, tag)}(at);`;
      case 'map':
        return `at = ${this.#map(plan, hash, tag)}(at);`;
      case 'object':
        return `${isHashedItself(plan) ? `${hash}.number(${tag}, 1);\n` : ''}at = ${this.object(plan, hash)}(at);`;
      default:
        return 'return -1;';
    }
  }

  #list({ element, min, max }: ListPlan, hash: string, tag: number): string {
    const [name, own] = [this.declarations.name('list'), this.declarations.hash()];
    const reading =
      element.kind === 'object' ? `at = ${this.object(element, own)}(at);` : this.#value(element, own, ELEMENT);
    this.declarations.lines.push(`function ${name}(from) {
let at = takeCode(from, ${OPENING_BRACKET});
if (at < 0) return -1;
${min > 0 ? '' : emptySource(CLOSING_BRACKET)}
let count = 0;
${hash}.beginArray();
while (true) {
${own}.begin();
${reading}
if (at < 0) return -1;
${hash}.element(${own});
count++;
${nextOrBreak}
}
if (count < ${min} || count > ${max}) return -1;
${hash}.endArray(${tag}, count);
return takeCode(at, ${CLOSING_BRACKET});
}`);
    return name;
  }

  #map({ min, max, name: names, value }: MapPlan, hash: string, tag: number): string {
    const [name, own] = [this.declarations.name('map'), this.declarations.hash()];
    const [begins, ends] = [
      this.declarations.constant(new Int32Array(max)),
      this.declarations.constant(new Int32Array(max)),
    ];
    this.declarations.lines.push(`function ${name}(from) {
let at = takeCode(from, ${OPENING_BRACE});
if (at < 0) return -1;
${min > 0 ? '' : emptySource(CLOSING_BRACE)}
let count = 0;
while (true) {
if (count === ${max}) return -1;
${own}.begin();
${textSource(names, own, ENTRY_NAME, this.declarations)}
if (at < 0 || isRepeated(at, ${begins}, ${ends}, count)) return -1;
count++;
at = takeCode(at, ${COLON});
if (at < 0) return -1;
${textSource(value, own, ENTRY_VALUE, this.declarations)}
if (at < 0) return -1;
${hash}.entry(${tag}, ${own});
${nextOrBreak}
}
return count < ${min} ? -1 : takeCode(at, ${CLOSING_BRACE});
}`);
    return name;
  }
}

function isOrderId(plan: Plan): boolean {
  return plan.kind === 'text' && plan.pattern === ORDER_ID && plan.oneOf === undefined;
}

/** Statements that leave an empty array or map. */
function emptySource(closing: number): string {
  return `const none = takeCode(at, ${closing});\nif (none >= 0) return none;`;
}
