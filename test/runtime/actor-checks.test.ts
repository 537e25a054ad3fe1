import { expect, test } from 'vitest';
import type { Message } from '../../runtime/actor.ts';
import { checkActor, checkDecoded, checkOutputs, thrown } from '../../runtime/slot/actor/actor-checks.ts';

const messages = [{ key: 'o-1' }, { key: 'o-2' }] as Message[];
const record = { topic: 't', key: 'o-1', value: '{}' };

test('outputs that the producer can send pass as they are', () => {
  const outputs = [
    [],
    [record, { ...record, key: Buffer.from('o-1'), value: null, partition: 0, headers: { a: 'b' } }],
  ];
  expect(checkOutputs(outputs, messages)).toBe(outputs);
});

test.each<[unknown, RegExp]>([
  [undefined, /returned undefined for 2 items.*items\.map/],
  [[], /outputs of 0 items for 2 items/],
  [[[], undefined], /undefined as the outputs of key o-2.*\[\] for none/],
  [[[], [undefined]], /key o-2: undefined is not a record/],
  [[[{ ...record, topic: undefined }], []], /key o-1: topic is undefined/],
  [[[{ ...record, key: undefined }], []], /key is undefined.*OrderID/],
  [[[{ ...record, key: '' }], []], /key is ''/],
  [[[{ ...record, value: { a: 1 } }], []], /value is .*JSON\.stringify/],
  [[[{ topic: 't', key: 'k' }], []], /value is undefined/],
  [[[{ ...record, value: new Uint8Array(1) }], []], /value is Uint8Array/],
  [[[{ ...record, headers: { a: 1 } }], []], /header a is 1/],
  [[[{ ...record, partition: 0.5 }], []], /partition is 0.5/],
])('outputs %j are refused with what would be right', (outputs, message) => {
  expect(() => checkOutputs(outputs, messages)).toThrow(message);
});

test('decode may not return a promise, and its failure is handled there', async () => {
  expect(() => checkDecoded(Promise.reject(new Error('later')))).toThrow(/synchronous.*prepare/);
  expect(checkDecoded(undefined)).toBeUndefined();
});

test.each<[unknown, RegExp]>([
  [undefined, /returned undefined, not an actor/],
  [{}, /no decode/],
  [{ decode() {}, apply: true }, /apply of the actor of m is true, not a function/],
  [{ decode() {}, aply() {} }, /aply\(\) of the actor of .* is never called/],
])('%o is no actor', (actor, message) => {
  expect(() => checkActor(actor, 'm')).toThrow(message);
});

test('an instance of a class may have functions of its own', () => {
  class WithHelpers {
    helper = () => 1;
    decode() {}
  }
  expect(() => checkActor(new WithHelpers(), 'm')).not.toThrow();
});

test('what is thrown becomes an error', () => {
  const error = new RangeError('as it is');
  expect(thrown('apply', error)).toBe(error);
  expect(thrown('apply', undefined).message).toMatch(/apply\(\) threw undefined: throw an Error/);
  expect(thrown('decode', 'text').message).toMatch(/'text'/);
});
