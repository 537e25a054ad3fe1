import { expect, test } from 'vitest';
import { failureOf, isCrowdedOut } from '../../kafka/kafkajs/kafkajs-internals.ts';

const batch = (rawMessages: unknown[]) => ({
  topic: 'raw-orders',
  partition: 1,
  fetchedOffset: '5',
  highWatermark: '900',
  rawMessages,
});

test('a partition without records in a full answer has no place in it; the next fetch asks for it at once', () => {
  expect(failureOf(batch([]))).toContain('the fetch brings nothing');
  expect(isCrowdedOut(batch([]), true)).toBe(true);
});

test('a partition that brings nothing while no other does is not fetched again at once', () => {
  expect(isCrowdedOut(batch([]), false)).toBe(false);
});

test('a partition with records is no failure', () => {
  expect(failureOf(batch([{}]))).toBeUndefined();
  expect(isCrowdedOut(batch([{}]), true)).toBe(false);
});
