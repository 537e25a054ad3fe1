import fc from 'fast-check';
import { Packr, Unpackr } from 'msgpackr';
import { expect, test } from 'vitest';
import { checkMessagePack } from '../../gateway/websocket/messagepack-check.ts';
import { codecs } from '../../gateway/websocket/stream-codec.ts';
import { sampleOrder } from './support.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
const order = (): Buffer => packr.pack({ id: 1, type: 'order.submit', order: sampleOrder({ customerId: 'gäst 🍔' }) });

const faultOf = (bytes: Buffer): string | undefined => {
  try {
    checkMessagePack(bytes);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test('takes what a packer writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 5 }), (value) => {
      expect(faultOf(packr.pack(value))).toBeUndefined();
    }),
  );
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`f${n}`, n]));
  for (const value of [
    order(),
    many,
    'x'.repeat(70_000),
    Array(70_000).fill(1.5),
    Buffer.alloc(300),
    2n ** 63n,
    -1,
    1e300,
  ])
    expect(faultOf(packr.pack(value))).toBeUndefined();
});

const text = (bytes: string) => Buffer.from(bytes, 'latin1');

test.each([
  ['half a character', text('\xa1\xc3'), /text .* not valid UTF-8/],
  ['an overlong one', text('\x81\xa1a\xa2\xc0\xaf'), /not valid UTF-8/],
  ['a surrogate', text('\xa3\xed\xa0\x80'), /not valid UTF-8/],
  ['a name that is not UTF-8', text('\x81\xa1\xff\x01'), /not valid UTF-8/],
  ['a member twice', text('\x82\xa5total\x01\xa5total\x02'), /it names the member \/total twice$/],
  ['a member twice, its names packed differently', text('\x82\xa1a\x01\xd9\x01a\x02'), /\/a twice/],
  ['a member twice, deep down', text('\x81\xa1a\x92\x01\x82\xa1b\x01\xa1b\x02'), /\/a\/1\/b twice/],
  ['a number for a name', text('\x81\x01\x01'), /name of a member is not text/],
  ['an extension', text('\x81\xa1a\xd6\xff\x00\x00\x00\x00'), /\/a has an extension type/],
  ['what is never used', text('\xc1'), /extension type/],
  ['nothing', text(''), /ends too early/],
  ['a text that ends too early', text('\xa2a'), /ends too early/],
  ['a map that ends too early', text('\xdf\xff\xff\xff\xff'), /ends too early/],
  ['an array that ends too early', text('\xdd\xff\xff\xff\xff'), /ends too early/],
  ['more than one value', text('\x01\x02'), /1 bytes follow/],
  ['endless depth', Buffer.alloc(200_000, 0x91), /deeper than 32/],
])('refuses %s', (_name, bytes, message) => {
  expect(faultOf(bytes)).toMatch(message);
  expect(() => codecs['ordermesh.v1.msgpack']?.decode(bytes)).toThrow(message);
});

test('the time for a large map is linear in its size', () => {
  const names = Array.from({ length: 60_000 }, (_, n) =>
    Buffer.concat([text('\xa4'), Buffer.from(n.toString(36).padStart(4)), text('\x01')]),
  );
  const map = (entries: Buffer[]) =>
    Buffer.concat([text(`\xde${String.fromCharCode(entries.length >> 8, entries.length & 255)}`), ...entries]);
  expect(faultOf(map(names))).toBeUndefined();
  expect(faultOf(map([...names, names[7] as Buffer]))).toMatch(/twice/);
});

/** All texts of a document, names included, and the number of members of its objects. */
function contentOf(value: unknown): { texts: string[]; members: number } {
  if (typeof value === 'string') return { texts: [value], members: 0 };
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return { texts: [], members: 0 };
  const parts = Array.isArray(value) ? value : Object.entries(value).flat();
  const inner = parts.map(contentOf);
  const members = inner.reduce((sum, part) => sum + part.members, Array.isArray(value) ? 0 : Object.keys(value).length);
  return { texts: inner.flatMap(({ texts }) => texts), members };
}

test('the decoder changes nothing in a damaged frame that the check accepts', () => {
  const edit = fc.tuple(fc.nat(), fc.nat(2), fc.nat(255));
  let taken = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      const codes = [...order()];
      for (const [at, kind, code] of edits)
        codes.splice(at % codes.length, kind === 0 ? 0 : 1, ...(kind === 2 ? [] : [code]));
      const bytes = Buffer.from(codes);
      if (faultOf(bytes) !== undefined) return;
      taken++;
      const decoded = unpackr.unpack(bytes);
      for (const one of contentOf(decoded).texts) expect(bytes.includes(Buffer.from(one))).toBe(true);
      // Packed again it has the same number of bytes for names and texts, so none was lost.
      expect(contentOf(unpackr.unpack(packr.pack(decoded)))).toEqual(contentOf(decoded));
    }),
    { numRuns: 10_000 },
  );
  expect(taken).toBeGreaterThan(500);
});
