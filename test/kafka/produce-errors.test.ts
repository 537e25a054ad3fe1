import { protocolErrorsCodesById } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { KafkaSetupError, KafkaUnavailableError, RecordRefusedError, RecordTooLargeError } from '../../kafka/errors.ts';
import { produceVerdict } from '../../kafka/producer/produce-errors.ts';

/** Codes of the Produce response by what they ask for; Kafka's protocol guide has the list. */
const cases: Record<string, number[]> = {
  acknowledged: [0, 46],
  'too large': [10, 18],
  'refused record': [87],
  'operator acts': [17, 21, 29, 30, 31, 32, 33, 34, 43, 44, 53, 58],
  'new producer': [45, 47, 49, 59, 90],
};

function described(errorCode: number): string {
  const verdict = produceVerdict('topic t', errorCode, null);
  if (verdict.kind === 'acknowledged') return 'acknowledged';
  if (verdict.error instanceof RecordTooLargeError) return 'too large';
  if (verdict.error instanceof RecordRefusedError) return 'refused record';
  if (verdict.error instanceof KafkaSetupError) return 'operator acts';
  return verdict.kind === 'retry' && verdict.newProducer ? 'new producer' : 'try again';
}

test.each(Object.keys(protocolErrorsCodesById).map(Number))('decides error %i', (errorCode) => {
  const listed = Object.entries(cases).find(([, codes]) => codes.includes(errorCode));
  expect(described(errorCode)).toBe(listed?.[0] ?? 'try again');
});

test('blames no record for what it does not know', () => {
  const verdict = produceVerdict('topic t', 9_999, 'new in a later Kafka');
  expect(verdict).toMatchObject({ kind: 'retry', error: expect.any(KafkaUnavailableError) });
});
