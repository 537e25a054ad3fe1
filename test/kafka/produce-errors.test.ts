import { protocolErrorsCodesById } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { produceVerdict, produceVerdictByName } from '../../kafka/produce-errors.ts';

const all = Object.entries(protocolErrorsCodesById).map(([code, name]) => ({ code: Number(code), name: String(name) }));
const named = (verdict: string) => all.filter(({ code }) => produceVerdict(code) === verdict).map(({ name }) => name);

test('every code of the protocol is decided, the same by number and by name', () => {
  expect(all.length).toBeGreaterThan(120);
  for (const { code, name } of all) expect(produceVerdict(code), name).toBe(produceVerdictByName(name));
});

test('only what speaks of the record is final for it; permissions, leaders and replicas are waited for', () => {
  expect(named('refused').sort()).toEqual([
    'INVALID_RECORD',
    'INVALID_TIMESTAMP',
    'INVALID_TOPIC_EXCEPTION',
    'POLICY_VIOLATION',
  ]);
  expect(named('too-large').sort()).toEqual(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
  expect(named('retry')).toEqual(
    expect.arrayContaining([
      'UNKNOWN_SERVER_ERROR',
      'CORRUPT_MESSAGE',
      'TOPIC_AUTHORIZATION_FAILED',
      'CLUSTER_AUTHORIZATION_FAILED',
      'SASL_AUTHENTICATION_FAILED',
      'NOT_LEADER_OR_FOLLOWER',
      'NOT_ENOUGH_REPLICAS',
      'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
      'KAFKA_STORAGE_ERROR',
      'THROTTLING_QUOTA_EXCEEDED',
      'UNSUPPORTED_VERSION',
    ]),
  );
});

test('what is not known is repeated until the deadline, which is an outage', () => {
  expect(produceVerdict(9_999)).toBe('retry');
  expect(produceVerdictByName('MADE_UP')).toBe('retry');
});
