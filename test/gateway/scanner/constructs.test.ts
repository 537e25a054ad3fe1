import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { instantYears } from '../../../contracts/order/instant.ts';
import { sku } from '../../../contracts/order/item.ts';
import { orderIdSchema, storeIdSchema } from '../../../contracts/order/order.ts';
import { line, lines } from '../../../contracts/order/text.ts';
import { planOf } from '../../../gateway/orders/scanner/generation/schema-plan.ts';
import { decodeJson } from '../../../gateway/orders/scanner/order-bytes.ts';
import { createRandom } from '../../../lab/traffic/random.ts';
import { normalForm, withPartOf } from './document-parts.ts';
import { createReferee, isUsual } from './referee.ts';
import { nearDocuments, type Schema, usualDocuments } from './schema-documents.ts';
import { damaged, spelled, withRepeats } from './spellings.ts';
import { unreadParts } from './unread-parts.ts';

/** `SCANNER_SEED=7` repeats a run. */
const seed = Number(process.env.SCANNER_SEED ?? randomInt(2 ** 31));

const closed = { additionalProperties: false };
const ids = { orderId: orderIdSchema, storeId: storeIdSchema };
const amountOf = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });
/** The linter takes an object with the literal name `then` for a promise. */
const conditionOf = (when: object, then: object, otherwise: object = {}) => ({
  if: when,
  ...Object.fromEntries([['then', then]]),
  else: otherwise,
});
const signOf = (kinds: string[], sign: object) =>
  conditionOf({ properties: { kind: { enum: kinds } }, required: ['kind'] }, { properties: { amount: sign } });

const adjustment = Type.Object(
  {
    kind: Type.Enum(['tax', 'discount', 'rounding']),
    name: Type.Optional(line({ maxLength: 80 })),
    amount: amountOf(-100_000, 100_000),
    included: Type.Optional(Type.Boolean({ default: false })),
    reason: Type.Optional(Type.Literal('staff')),
  },
  {
    ...closed,
    ...conditionOf(
      { properties: { included: { const: true } }, required: ['included'] },
      { properties: { kind: { const: 'tax' } } },
      { required: ['name'] },
    ),
    allOf: [
      signOf(['discount'], { maximum: 0 }),
      signOf(['tax'], { minimum: 0 }),
      signOf(['rounding'], { minimum: -5, maximum: 5 }),
      { properties: { amount: { enum: [-3, -2, -1, 0, 1, 2, 3, 100_000, -100_000, 5, -5, 9] } } },
    ],
  },
);

const part = Type.Object(
  {
    sku: sku(),
    quantity: Type.Optional(Type.Integer({ minimum: 1, maximum: 99, default: 1 })),
    modifiers: Type.Optional(Type.Array(Type.Object({ sku: sku() }, closed), { maxItems: 3 })),
  },
  closed,
);

const flags = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [`flag${index}`, Type.Optional(Type.Boolean())]),
);

/** Everything that the scanner reads. */
const everything = Type.Object(
  {
    ...ids,
    adjustments: Type.Optional(Type.Array(adjustment, { maxItems: 4 })),
    parts: Type.Optional(Type.Array(part, { minItems: 1, maxItems: 3 })),
    allergies: Type.Optional(Type.Array(line({ minLength: 1, maxLength: 9 }), { maxItems: 3 })),
    grid: Type.Optional(Type.Array(Type.Array(Type.Integer({ minimum: -5, maximum: 5 }), { maxItems: 2 }))),
    metadata: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,40}$' }), lines({ maxLength: 20 }), { maxProperties: 16 }),
    ),
    links: Type.Optional(
      Type.Record(Type.String({ pattern: '^x-[a-z]+$' }), sku(), { minProperties: 2, maxProperties: 3 }),
    ),
    guest: Type.Optional(Type.Object({ name: line({ minLength: 1, maxLength: 40 }) }, closed)),
    fulfilment: Type.Optional(
      Type.Object(
        {
          type: Type.Optional(Type.Enum(['eat-in', 'delivery'])),
          table: Type.Optional(Type.String({ pattern: '^[A-Z]?[0-9]{1,3}$', maxLength: 3 })),
          promisedAt: Type.Optional(Type.String({ format: 'date-time', pattern: instantYears })),
        },
        { ...closed, ...conditionOf({ required: ['table'] }, { properties: { type: { const: 'eat-in' } } }) },
      ),
    ),
    twentyLettersOfAName: Type.Optional(Type.Boolean()),
    twentyLettersOfABook: Type.Optional(Type.Integer({ minimum: -9, maximum: 9, default: -1 })),
    tip: Type.Optional(Type.Integer({ maximum: 9 })),
    tax: Type.Optional(Type.String({ minLength: 1, maxLength: 3, default: 'vat' })),
    flags: Type.Optional(Type.Object(flags, closed)),
  },
  closed,
);

const referee = createReferee(everything);
const schema: Schema = JSON.parse(JSON.stringify(everything));

test('no construct of the schema is left to the general way, and patterns of no class of characters are the slow ones', () => {
  let tags = 0;
  expect(unreadParts(planOf(everything, () => ++tags))).toEqual([
    '/links/name: ^x-[a-z]+$',
    '/fulfilment/table: ^[A-Z]?[0-9]{1,3}$',
  ]);
});

test(`every construct is read in its usual spelling, seed ${seed}`, () => {
  const random = createRandom(seed);
  fc.assert(
    fc.property(usualDocuments(schema), (document) => {
      const bytes = Buffer.from(spelled(document, random));
      const verdict = referee.judge(bytes);
      if (isUsual(bytes)) expect(verdict, bytes.toString()).toBe('read');
    }),
    { numRuns: 2_000, seed },
  );
});

test(`no document and no damage makes the scanner and decoding differ, seed ${seed}`, { timeout: 600_000 }, () => {
  const random = createRandom(seed);
  const counts = { read: 0, left: 0, refused: 0 };
  fc.assert(
    fc.property(nearDocuments(schema), (document) => {
      const whole = Buffer.from(spelled(document, random));
      for (let body = 0; body < 20; body++) {
        const bytes = body === 0 ? whole : damaged(whole, random);
        const verdict = referee.judge(bytes);
        counts[verdict]++;
        // A name that the pattern of a map does not take is valid, and left.
        if (verdict === 'left' && isUsual(bytes)) expect(bytes.toString()).toMatch(/"(?:metadata|links)"/);
      }
    }),
    { numRuns: 1_500, seed, endOnFailure: true },
  );
  expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(1_000);
});

test(`the hash differs exactly where the documents say something else, seed ${seed}`, () => {
  const outcomes = { same: 0, different: 0 };
  const documents = usualDocuments(schema);
  fc.assert(
    fc.property(documents, documents, fc.infiniteStream(fc.nat()), (one, donor, draws) => {
      const other = withPartOf(one, donor, (below) => (draws.next().value as number) % below);
      const sameIds = { orderId: '', storeId: '' };
      const [first, second] = [one, other].map((document) => ({ ...(document as object), ...sameIds }));
      const isSame = referee.hashOf(first) === referee.hashOf(second);
      expect(isSame).toBe(normalForm(schema, first) === normalForm(schema, second));
      outcomes[isSame ? 'same' : 'different']++;
    }),
    { numRuns: 6_000, seed },
  );
  expect(Math.min(outcomes.same, outcomes.different)).toBeGreaterThan(100);
});

const base = { orderId: '0192f1c2-7c1a-7cc0-8000-000000000001', storeId: 'us-il-0001' };
const scanned = (document: object, by = referee) => by.scan(Buffer.from(JSON.stringify({ ...base, ...document })));

test('a default, an empty array and an empty map are the same as nothing, and an empty object is not', () => {
  const nothing = referee.hashOf(base);
  for (const same of [
    { twentyLettersOfABook: -1 },
    { tax: 'vat' },
    { allergies: [] },
    { metadata: {} },
    { grid: [] },
  ]) {
    expect(referee.hashOf({ ...base, ...same }), JSON.stringify(same)).toBe(nothing);
    expect(scanned(same)?.content, JSON.stringify(same)).toBe(nothing);
  }
  const others = [{ fulfilment: {} }, { flags: {} }, { grid: [[]] }, { allergies: [''] }, { metadata: { '': '' } }];
  const hashes = new Set(others.map((other) => referee.hashOf({ ...base, ...other })).concat(nothing));
  expect(hashes.size).toBe(others.length + 1);
});

test('entries of a map have no order, elements of an array have', () => {
  const hashOf = (document: object) => scanned(document)?.content;
  expect(hashOf({ metadata: { a: 'b', c: 'd' } })).toBe(hashOf({ metadata: { c: 'd', a: 'b' } }));
  expect(hashOf({ metadata: { a: 'd', c: 'b' } })).not.toBe(hashOf({ metadata: { a: 'b', c: 'd' } }));
  expect(hashOf({ metadata: { a: 'b' } })).not.toBe(hashOf({ metadata: { b: 'a' } }));
  expect(hashOf({ allergies: ['a', 'b'] })).not.toBe(hashOf({ allergies: ['b', 'a'] }));
});

test('a negative number has another hash than the positive number with the same 32 bits', () => {
  expect(referee.hashOf({ ...base, tip: -1 })).not.toBe(referee.hashOf({ ...base, tip: 0xffff_ffff }));
});

test('a member or an entry that occurs twice is read by none', () => {
  const document = {
    ...base,
    adjustments: [{ kind: 'discount', name: 'happy hour', amount: -3, included: false }],
    metadata: { till: '4', tile: '4' },
    fulfilment: { type: 'eat-in', table: '12' },
    twentyLettersOfAName: true,
    twentyLettersOfABook: 3,
  };
  expect(scanned(document)).toBeDefined();
  for (const text of withRepeats(document)) {
    expect(referee.scan(Buffer.from(text)), text).toBeUndefined();
    expect(decodeJson(Buffer.from(text)), text).toEqual({ ok: false, detail: expect.stringMatching(/\/\w+ twice/) });
  }
});

test('as many entries and elements as the schema allows are read, and not one more', () => {
  const entries = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, 'x']));
  const links = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => ['x-'.padEnd(n + 3, 'a'), 'b']));
  const texts = (count: number) => Array.from({ length: count }, () => 'x');
  const parts = (count: number) => texts(count).map((sku) => ({ sku }));
  const isRead = (document: object) => scanned(document) !== undefined;
  expect([16, 17].map((count) => isRead({ metadata: entries(count) }))).toEqual([true, false]);
  expect([0, 1, 2, 3, 4].map((count) => isRead({ links: links(count) }))).toEqual([false, false, true, true, false]);
  expect([0, 1, 3, 4].map((count) => isRead({ parts: parts(count) }))).toEqual([false, true, true, false]);
  expect([0, 3, 4].map((count) => isRead({ allergies: texts(count) }))).toEqual([true, true, false]);
  const cut = JSON.stringify({ ...base, links: links(3) }).replace('"}}', '",}}');
  expect(referee.judge(Buffer.from(cut))).toBe('refused');
});

/** Members of which the scanner knows a keyword, a format or a type not, with a valid value. */
const unknown: Record<string, [schema: object, value: unknown]> = {
  format: [Type.String({ format: 'email' }), 'a@example.com'],
  type: [Type.Number(), 1.5],
  union: [Type.Union([Type.Literal('a'), Type.Integer()]), 'a'],
  types: [{ type: ['string', 'null'], maxLength: 3 }, 'abc'],
  multiple: [Type.Integer({ multipleOf: 5 }), 10],
  exclusive: [Type.Integer({ exclusiveMinimum: 5 }), 10],
  values: [{ enum: [1, 2] }, 1],
  unique: [Type.Array(Type.String(), { uniqueItems: true }), ['a']],
  inner: [Type.Array(Type.Number()), [1]],
  tuple: [{ type: 'array', items: [{ type: 'string' }], minItems: 1, additionalItems: false }, ['a']],
  open: [Type.Object({ a: Type.Optional(Type.String()) }), { b: 1 }],
  dependent: [Type.Object({ a: Type.Optional(Type.String()) }, { ...closed, dependencies: { a: [] } }), { a: '' }],
  negated: [
    Type.Object({ a: Type.Optional(Type.String()) }, { ...closed, allOf: [{ not: { required: ['b'] } }] }),
    { a: '' },
  ],
  deep: [
    Type.Object(
      { a: Type.Array(Type.String()) },
      { ...closed, ...conditionOf({ properties: { a: { maxItems: 1 } } }, {}) },
    ),
    { a: [] },
  ],
  needy: [Type.Object({ a: Type.Number() }, closed), { a: 1 }],
  'escaped"': [Type.String(), 'a'],
  map: [Type.Record(Type.String({ pattern: '^a' }), Type.Integer()), { a: 1 }],
  bigMap: [Type.Record(Type.String({ pattern: '^a' }), Type.String()), { a: 'b' }],
  list: [Type.Array(Type.String(), { default: ['a'] }), ['b']],
};

test.each(Object.entries(unknown))(
  '%s: what the scanner does not know is left to the general way',
  (name, [one, value]) => {
    const members = { ...ids, [name]: Type.Optional(one), other: Type.Optional(Type.Boolean()) };
    const by = createReferee(Type.Object(members, closed));
    const bytes = (document: object) => Buffer.from(JSON.stringify({ ...base, ...document }));
    expect(by.judge(bytes({ [name]: value }))).toBe('left');
    expect(by.judge(bytes({ other: true }))).toBe('read');
    expect(by.hashOf({ ...base, [name]: value })).not.toBe(by.hashOf(base));
    const required = createReferee(Type.Object({ ...members, [name]: one }, closed));
    expect(required.judge(bytes({ [name]: value }))).toBe('left');
    expect(required.judge(bytes({ other: true }))).toBe('refused');
  },
);

test.each([{ dependencies: {} }, conditionOf({ minProperties: 2 }, {})])(
  'an order whose schema has %j is left to the general way',
  (keywords) => {
    const by = createReferee(Type.Object(ids, { ...closed, ...keywords }));
    expect(by.judge(Buffer.from(JSON.stringify(base)))).toBe('left');
  },
);
