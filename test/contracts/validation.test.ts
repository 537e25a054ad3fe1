import { expect, test } from 'vitest';
import { limits } from '../../contracts/limits.ts';
import { orderSchema } from '../../contracts/order/order.ts';
import { compileValidator, jsonFault } from '../../contracts/validation.ts';

const validate = compileValidator(orderSchema);
const errorsOf = (value: unknown) => {
  const validated = validate(value);
  return validated.ok ? [] : validated.errors;
};

test('the errors of the largest order are all told, up to the bound', () => {
  const modifiers = Array.from({ length: limits.modifiersPerItemMax }, () => ({
    sku: 'a',
    quantity: 1,
    unitPrice: -1,
  }));
  const item = { sku: 'a', quantity: 1, unitPrice: 1, note: '', modifiers };
  expect(errorsOf({ items: Array.from({ length: limits.itemsPerOrderMax }, () => item) })).toHaveLength(16);
});

test.each<[string, unknown]>([
  ['many items', { items: Array.from({ length: 20_000 }, () => ({})) }],
  ['many fields', Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`f${n}`, undefined]))],
  ['many values deep down', { items: [{ note: [[Array.from({ length: 20_000 }, () => undefined)]] }] }],
])('a document with %s is told one error: more would cost more than the document is worth', (_name, document) => {
  expect(errorsOf(document)).toHaveLength(1);
});

test('the fault of a text that is not JSON quotes nothing of the text', () => {
  for (const text of [
    '{"token": tok_visa}',
    '{"a":1,"token": tok_visa_and_much_more_of_it_than_fits}',
    'tok_visa',
    '"tok_visa',
  ])
    try {
      JSON.parse(text);
      expect.unreachable();
    } catch (error) {
      expect(jsonFault(error)).toMatch(/^Un\w+/);
      expect(jsonFault(error)).not.toContain('_visa');
    }
});

test('a name that a map does not take is told what it takes', () => {
  const order = { metadata: { 'a b': 'c' }, more: 1 };
  expect(errorsOf(order)).toContainEqual({ pointer: '/more', detail: 'is not a known field' });
  expect(errorsOf(order)).toContainEqual({
    pointer: '/metadata/a b',
    detail: 'is not a name that matches ^[A-Za-z0-9_.-]{1,40}$',
  });
});
