import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeJson } from '../../gateway/orders/scanner/order-bytes.ts';
import { repeatedMember } from '../../gateway/orders/scanner/repeated-member.ts';

const found = (text: string) => repeatedMember(Buffer.from(text), JSON.parse(text));

test.each([
  ['{"total":1,"total":1198}', '/total'],
  ['{"tot\\u0061l":1,"total":1198}', '/total'],
  ['{"payment":{"token":"a","method":"card","token":"b"}}', '/payment/token'],
  ['{"items":[{"sku":"a"},{"sku":"b","note":"\\\\","note":"\\""}]}', '/items/1/note'],
  ['{"a/b~":{"":1,"":2}}', '/a~1b~0/'],
  ['{"__proto__":1,"__proto__":2}', '/__proto__'],
  ['[[],{"x":[{}],"x":{}}]', '/1/x'],
  ['{"é":1,"\\u00e9":1}', '/é'],
])('%s names %s twice', (text, pointer) => {
  expect(found(text)).toBe(pointer);
  expect(decodeJson(Buffer.from(text))).toMatchObject({ ok: false, detail: expect.stringContaining(pointer) });
});

test.each([
  '{"a":1,"A":2}',
  '{"a":{"a":{"a":":"}}}',
  '[{"a":1},{"a":1}]',
  '{"a":"\\"a\\":1,","b":"\\\\"}',
  '{"toString":1,"constructor":2,"__proto__":3}',
  '"a:b"',
  '{}',
])('%s names each member once', (text) => {
  expect(found(text)).toBeUndefined();
});

test('a document of any depth is checked', () => {
  const depth = 100_000;
  const text = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  expect(found(text)).toBeUndefined();
  expect(found(`${'['.repeat(depth)}{"b":1,"b":2}${']'.repeat(depth)}`)).toMatch(/^\/0\/0/);
});

interface Tree {
  value: { members: [string, Tree][] } | { elements: Tree[] } | { leaf: unknown };
}

// Without backslashes: after a name `\\`, JSON.parse of V8 13.6 mistakes any escaped name of one character for that name. Such an order is refused
// nevertheless, for a field that the schema does not know.
const name = fc.oneof(
  fc.constantFrom('a', 'b', 'total', '"', ':', '__proto__', '\ud800'),
  fc.string({ maxLength: 2 }).filter((text) => !text.includes('\\')),
);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc
      .oneof(fc.string({ unit: 'binary', maxLength: 4 }), fc.integer(), fc.constant(null))
      .map((leaf) => ({ value: { leaf } })),
    fc.array(tie('tree'), { maxLength: 3 }).map((elements) => ({ value: { elements } })),
    fc.array(fc.tuple(name, tie('tree')), { maxLength: 4 }).map((members) => ({ value: { members } })),
  ),
}));

/** Any spelling of a string: each character as such or escaped. */
function spelled(text: string, escapes: () => boolean): string {
  const codes = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  const units = codes.map((code) => `\\u${code.toString(16).padStart(4, '0')}`);
  const plain = JSON.stringify(text);
  return escapes() ? `"${units.join('')}"` : plain;
}

function textOf({ value }: Tree, escapes: () => boolean): string {
  if ('leaf' in value)
    return typeof value.leaf === 'string' ? spelled(value.leaf, escapes) : JSON.stringify(value.leaf);
  if ('elements' in value) return `[ ${value.elements.map((each) => textOf(each, escapes)).join(' ,')}]`;
  return `{${value.members.map(([name, each]) => `${spelled(name, escapes)} : ${textOf(each, escapes)}`).join(', ')}}`;
}

function repeats({ value }: Tree): boolean {
  if ('leaf' in value) return false;
  if ('elements' in value) return value.elements.some(repeats);
  const names = value.members.map(([name]) => name);
  return new Set(names).size < names.length || value.members.some(([, each]) => repeats(each));
}

test('finds a repeated name in any document, however the name is spelled', () => {
  fc.assert(
    fc.property(tree, fc.infiniteStream(fc.boolean()), (document, draws) => {
      const text = textOf(document, () => draws.next().value as boolean);
      expect(found(text) !== undefined, text).toBe(repeats(document));
    }),
    { numRuns: 5_000 },
  );
});
