import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorTable } from '../../../contracts/errors.ts';
import { grpcStatus, grpcStatusOf } from '../../../contracts/grpc-status.ts';
import { limits } from '../../../contracts/limits.ts';
import { type Order, orderSchema } from '../../../contracts/order/order.ts';
import { compileValidator } from '../../../contracts/validation.ts';
import { messageType } from '../../../gateway/grpc/definition.ts';
import { fieldPath } from '../../../gateway/grpc/error-details.ts';
import { ordersDefinition } from '../../../gateway/grpc/messages.ts';
import { orderValue } from '../../../gateway/grpc/order-message.ts';
import { definitions, orderMessage } from './client.ts';

interface ObjectSchema {
  required?: string[];
  properties: Record<string, FieldSchema>;
}

interface FieldSchema extends Partial<ObjectSchema> {
  type?: string;
  enum?: string[];
  items?: FieldSchema;
  patternProperties?: object;
}

interface ProtoField {
  name: string;
  type: string;
  label: string;
  typeName: string;
}

const source = readFileSync(new URL('../../../contracts/ordermesh.proto', import.meta.url), 'utf8');

/** Fields of a message that the proto declares `optional`; the loader's descriptors lack that. */
function optionalFields(message: string): Set<string> {
  const body = new RegExp(`^message ${message} \\{\\n(.*?)^\\}`, 'ms').exec(source)?.[1] ?? '';
  return new Set([...body.matchAll(/^\s*optional \w+ (\w+) =/gm)].map((match) => camel(match[1] ?? '')));
}

const types: Record<string, string> = { string: 'TYPE_STRING', integer: 'TYPE_INT32', boolean: 'TYPE_BOOL' };

function protoType({ type = '', enum: values, items }: FieldSchema): string {
  if (values !== undefined) return 'TYPE_ENUM';
  return types[type] ?? types[items?.type ?? ''] ?? 'TYPE_MESSAGE';
}

/** A map is repeated too: of entries. */
const isRepeated = ({ type, patternProperties }: FieldSchema) => type === 'array' || patternProperties !== undefined;

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function fieldsOf(message: string): ProtoField[] {
  const { field } = messageType(`ordermesh.v1.${message}`).type as { field: ProtoField[] };
  return field.toSorted((a, b) => a.name.localeCompare(b.name));
}

function wordsOf(enumName: string, prefix: string): string[] {
  const definition = definitions[`ordermesh.v1.${enumName}`] as { type: unknown } | undefined;
  const { value } = (definition?.type ?? { value: [] }) as { value: { name: string; number: number }[] };
  return value
    .filter(({ number }) => number > 0)
    .map(({ name }) => name.replace(prefix, '').toLowerCase().replaceAll('_', '-'));
}

const order = orderSchema as unknown as ObjectSchema;
const item = order.properties.items?.items as ObjectSchema;
const modifier = item.properties.modifiers?.items as ObjectSchema;
const payment = order.properties.payment as ObjectSchema;
const fulfilment = order.properties.fulfilment as ObjectSchema;
const adjustment = order.properties.adjustments?.items as ObjectSchema;

describe('the proto says what the JSON schema says', () => {
  test.each([
    ['Order', order],
    ['Item', item],
    ['Modifier', modifier],
    ['Part', item.properties.parts?.items as ObjectSchema],
    ['Payment', payment],
    ['Guest', order.properties.guest as ObjectSchema],
    ['Fulfilment', fulfilment],
    ['Adjustment', adjustment],
  ])('%s', (message, schema) => {
    const expected = Object.entries(schema.properties)
      .map(([name, field]) => ({
        name,
        type: protoType(field),
        label: isRepeated(field) ? 'LABEL_REPEATED' : 'LABEL_OPTIONAL',
      }))
      .toSorted((a, b) => a.name.localeCompare(b.name));
    expect(fieldsOf(message).map(({ name, type, label }) => ({ name, type, label }))).toEqual(expected);
    const optional = Object.keys(schema.properties).filter(
      (name) => !schema.required?.includes(name) && !isRepeated(schema.properties[name] ?? {}),
    );
    // A sender may leave the orderId out: the gateway then makes one.
    if (message === 'Order') optional.push('orderId');
    expect(optionalFields(message)).toEqual(new Set(optional));
  });

  test('the values of the enums', () => {
    expect(wordsOf('Channel', 'CHANNEL_')).toEqual(order.properties.channel?.enum);
    expect(wordsOf('PaymentMethod', 'PAYMENT_METHOD_')).toEqual(payment.properties.method?.enum);
    expect(wordsOf('FulfilmentType', 'FULFILMENT_TYPE_')).toEqual(fulfilment.properties.type?.enum);
    expect(wordsOf('AdjustmentKind', 'ADJUSTMENT_KIND_')).toEqual(adjustment.properties.kind?.enum);
  });

  test('the largest amount fits into an int32', () => {
    expect(limits.amountMax).toBeLessThan(2 ** 31);
  });
});

const skus = fc.stringMatching(/^[a-z0-9]+(-[a-z0-9]+)*$/).filter((text) => text.length <= 64);
const amounts = fc.integer({ min: 0, max: limits.amountMax });
const quantities = fc.integer({ min: 1, max: limits.quantityMax });
const modifiers = fc.array(
  fc.record({ sku: skus, quantity: quantities, unitPrice: amounts }, { requiredKeys: ['sku', 'unitPrice'] }),
  { minLength: 1, maxLength: 4 },
);
const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }).filter((text) => text.length <= 16);
const instants = fc.constantFrom('2026-11-22T10:00:00.000Z', '2026-11-22T10:00:00Z', '2026-11-22T05:00:00.1-05:00');
const orders = fc.record(
  {
    orderId: fc.uuid(),
    storeId: fc.constantFrom('us-il-0001', 'de-be-0042'),
    channel: fc.constantFrom<Order['channel']>('pos', 'kiosk', 'drive-thru', 'app', 'web', 'delivery'),
    placedAt: instants,
    currency: fc.constantFrom('USD', 'EUR', 'JPY'),
    items: fc.array(
      fc.record(
        {
          sku: skus,
          quantity: quantities,
          unitPrice: amounts,
          modifiers,
          parts: fc.array(
            fc.record(
              { sku: skus, quantity: quantities, unitPrice: amounts, modifiers },
              { requiredKeys: ['sku', 'quantity', 'unitPrice'] },
            ),
            { minLength: 1, maxLength: 3 },
          ),
          allergies: fc.array(words, { minLength: 1, maxLength: 3 }),
          note: fc.string({ unit: 'grapheme', maxLength: 20 }),
        },
        { requiredKeys: ['sku', 'quantity', 'unitPrice'] },
      ),
      { minLength: 1, maxLength: 5 },
    ),
    total: amounts,
    customerId: fc.string({ minLength: 1, maxLength: 64 }),
    payment: fc.oneof(
      fc.record({ method: fc.constant<'cash'>('cash') }),
      fc.record({ method: fc.constantFrom<'card' | 'app'>('card', 'app'), token: fc.constant('tok_visa') }),
    ),
    number: words,
    guest: fc.record({ name: words }),
    fulfilment: fc.record(
      {
        type: fc.constantFrom<NonNullable<Order['fulfilment']>['type']>('eat-in', 'drive-thru', 'delivery'),
        table: words,
        promisedAt: instants,
      },
      { requiredKeys: ['type'] },
    ),
    adjustments: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant<'discount'>('discount'), amount: amounts.map((amount) => 0 - amount) }),
        fc.record(
          { kind: fc.constantFrom<'tax' | 'tip'>('tax', 'tip'), name: words, amount: amounts, included: fc.boolean() },
          { requiredKeys: ['kind', 'amount'] },
        ),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    metadata: fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,39}$/), words, { minKeys: 1, maxKeys: 3 }),
  },
  { requiredKeys: ['orderId', 'storeId', 'channel', 'placedAt', 'currency', 'items', 'total', 'payment'] },
);

test('any valid order is the same, and valid, after encoding and decoding as a message', () => {
  const validate = compileValidator(orderSchema);
  const type = definitions['ordermesh.v1.Order'] as unknown as { serialize(message: object): Buffer };
  fc.assert(
    fc.property(orders, (sent) => {
      const received = orderValue(messageType('ordermesh.v1.Order').deserialize(type.serialize(orderMessage(sent))));
      expect(validate(received).ok).toBe(true);
      expect(JSON.parse(JSON.stringify(received))).toEqual(sent);
    }),
  );
});

test('text that is not UTF-8, or longer than its message, is malformed; the replacement character itself is valid', () => {
  const type = definitions['ordermesh.v1.SubmitRequest'] as unknown as { serialize(message: object): Buffer };
  const order = { storeId: 'us-il-0001', payment: { token: 'tok_visa' }, customerId: 'c-\ufffd' };
  const sound = type.serialize({ order });
  const decode = (bytes: Buffer) => ordersDefinition.Submit.requestDeserialize(bytes);
  const altered = (from: string, to: string) => {
    const text = sound.toString('latin1');
    expect(text).toContain(from);
    return Buffer.from(text.replace(from, to), 'latin1');
  };
  expect(decode(sound)).toMatchObject({ order });
  for (const [from, to] of [
    ['tok_visa', 'tok_vis\xff'],
    ['tok_visa', 'tok_v\xed\xa0\x80'],
    ['il-0001', 'il-\xc0\xaf01'],
  ] as const)
    expect(decode(altered(from, to))).toEqual({ fault: expect.stringContaining('not valid UTF-8') });
  expect(decode(sound.subarray(0, -1))).toEqual({ fault: expect.stringContaining('valid Submit request') });
});

test('an empty message lacks every required field', () => {
  const validated = compileValidator(orderSchema)(orderValue({}));
  const pointers = validated.ok ? [] : validated.errors.map(({ pointer }) => pointer);
  expect(pointers.toSorted()).toEqual([
    '/channel',
    '/currency',
    '/items',
    '/orderId',
    '/payment',
    '/placedAt',
    '/storeId',
  ]);
});

test('every error has its status', () => {
  for (const { status } of Object.values(errorTable)) {
    const name = grpcStatusOf(status);
    expect(grpcStatus[name]).toBeGreaterThan(0);
    if (status < 500) expect(name).not.toBe('INTERNAL');
  }
});

test('a pointer is a path of the request', () => {
  expect(fieldPath('')).toBe('order');
  expect(fieldPath('/items/3/modifiers/0/unitPrice')).toBe('order.items[3].modifiers[0].unit_price');
});
