import fc from 'fast-check';
import { expect, test } from 'vitest';
import { traceparentOf } from '../../gateway/http/traceparent.ts';
import { decodeJson, newOrderId, withOrderId } from '../../gateway/orders/scanner/order-bytes.ts';

test('decodes what JSON.parse decodes, in any script', () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary', maxDepth: 1 }), (text) => {
      fc.pre(text.isWellFormed());
      expect(decodeJson(Buffer.from(text))).toEqual({ ok: true, value: JSON.parse(text) });
    }),
  );
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['half an object', Buffer.from('{"a":')],
  ['an invalid byte', Buffer.from([0x22, 0xff, 0x22])],
  ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ['a surrogate encoded as UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['a byte order mark', Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])],
])('refuses %s', (_name, bytes) => {
  expect(decodeJson(bytes).ok).toBe(false);
});

test('puts the orderId in front and leaves every other byte as it was', () => {
  const body = Buffer.from(' \n{ "storeId" : "é{",\t"total":1.0e1 }\n');
  const orderId = newOrderId();
  const result = withOrderId(body, orderId);
  expect(result.toString()).toBe(` \n{"orderId":"${orderId}", "storeId" : "é{",\t"total":1.0e1 }\n`);
  expect(JSON.parse(result.toString())).toEqual({ orderId, ...JSON.parse(body.toString()) });
});

test('keeps a valid traceparent and starts a new trace for any other', () => {
  const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  expect(traceparentOf(valid)).toBe(valid);
  const made = new Set<string>();
  for (const invalid of [
    '',
    'x',
    valid.toUpperCase(),
    `ff${valid.slice(2)}`,
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
  ])
    made.add(traceparentOf(invalid));
  for (let n = 0; n < 1_000; n++) made.add(traceparentOf(''));
  expect(made.size).toBe(1_005);
  for (const traceparent of made) expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});
