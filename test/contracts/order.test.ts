import { describe, expect, it } from 'vitest';
import { orderSchema, orderTotal, stockDemand } from '../../contracts/order.ts';
import { compileValidator } from '../../contracts/validation.ts';

const validate = compileValidator(orderSchema);

const order = (change: Record<string, unknown> = {}): unknown => ({
  orderId: '0192f1c2-7c1a-7cc0-8000-000000000001',
  storeId: 'us-il-0001',
  channel: 'pos',
  placedAt: '2026-11-22T10:00:00.000Z',
  currency: 'USD',
  items: [{ sku: 'double-cheeseburger', quantity: 2, unitPrice: 599, modifiers: [] }],
  total: 1198,
  customerId: 'c-1',
  payment: { method: 'card', token: 'tok_visa' },
  ...change,
});

const errorsOf = (document: unknown) => {
  const result = validate(document);
  return result.ok ? [] : result.errors;
};

describe('order schema', () => {
  it('accepts the order of the contract', () => {
    expect(errorsOf(order())).toEqual([]);
  });

  it.each([
    ['/items/0/quantity', { items: [{ sku: 'a', quantity: 0, unitPrice: 1 }] }],
    ['/items/0/unitPrice', { items: [{ sku: 'a', quantity: 1, unitPrice: -1 }] }],
    ['/items', { items: [] }],
    ['/total', { total: '12' }],
    ['/total', { total: 1.5 }],
    ['/currency', { currency: 'XXZ1' }],
    ['/orderId', { orderId: '1' }],
    ['/placedAt', { placedAt: 'yesterday' }],
    ['/channel', { channel: 'pigeon' }],
    ['/payment/token', { payment: { method: 'card' } }],
    ['/storeId', { storeId: undefined }],
    ['/colour', { colour: 'red' }],
  ])('names %s as the field to blame', (pointer, change) => {
    expect(errorsOf(order(change)).map((error) => error.pointer)).toContain(pointer);
  });

  it('names all faults of an order, not only the first', () => {
    expect(errorsOf(order({ total: '12', currency: 'usd' })).map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining(['/total', '/currency']),
    );
  });

  it('takes cash without a token', () => {
    expect(errorsOf(order({ payment: { method: 'cash' } }))).toEqual([]);
  });

  it('says what an enumeration takes', () => {
    expect(errorsOf(order({ channel: 'pigeon' }))[0]?.detail).toContain('drive-thru');
  });
});

describe('order arithmetic', () => {
  const items = [
    { sku: 'burger', quantity: 2, unitPrice: 500, modifiers: [{ sku: 'cheese', unitPrice: 50, quantity: 2 }] },
    { sku: 'cola', quantity: 1, unitPrice: 199 },
  ];

  it('adds modifiers to each of the items', () => {
    expect(orderTotal({ items })).toBe(2 * (500 + 2 * 50) + 199);
  });

  it('takes modifiers from stock once for each item', () => {
    expect(Object.fromEntries(stockDemand({ items }))).toEqual({ burger: 2, cheese: 4, cola: 1 });
  });
});
