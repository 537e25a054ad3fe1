import { expect, test, vi } from 'vitest';
import { watchKafka } from '../../gateway/kafka-health.ts';

/** Questions that wait for the test's answer. */
function questions() {
  const waiting: ((outage: string | undefined) => void)[] = [];
  return { waiting, ask: () => new Promise<string | undefined>((resolve) => waiting.push(resolve)) };
}

test('an answer to an older question does not overwrite what an acknowledged append has proved', async () => {
  const { waiting, ask } = questions();
  const health = watchKafka(['none:1'], ask);
  health.confirm();
  waiting[0]?.('no broker answers');
  await vi.waitFor(() => expect(health.reason()).toBeUndefined());
  await new Promise((resolve) => setImmediate(resolve));
  expect([health.reason(), health.outage()]).toEqual([undefined, undefined]);
  health.close();
});

test('an append that failed after the proof asks again', async () => {
  const { waiting, ask } = questions();
  const health = watchKafka(['none:1'], ask);
  health.confirm();
  health.suspect(new Error('not acknowledged'));
  waiting[0]?.('no broker answers');
  await vi.waitFor(() => expect(waiting).toHaveLength(2), { timeout: 4_000 });
  expect(health.reason()).toBe('not acknowledged');
  waiting[1]?.(undefined);
  await vi.waitFor(() => expect(health.reason()).toBeUndefined());
  health.close();
});

test('a gateway whose appends fail while Kafka answers well is not ready, until one is acknowledged or none has failed for a while', async () => {
  const { waiting, ask } = questions();
  let now = 1_000_000;
  const health = watchKafka(['none:1'], ask, () => now);
  waiting[0]?.(undefined);
  await vi.waitFor(() => expect(health.reason()).toBeUndefined());
  health.suspect(new Error('TOPIC_AUTHORIZATION_FAILED'));
  await vi.waitFor(() => expect(waiting).toHaveLength(2));
  waiting[1]?.(undefined);
  await vi.waitFor(() => expect(waiting).toHaveLength(3), { timeout: 4_000 });
  expect(health.reason()).toBe('TOPIC_AUTHORIZATION_FAILED');
  now += 16_000;
  waiting[2]?.(undefined);
  await vi.waitFor(() => expect(health.reason()).toBeUndefined());
  health.suspect(new Error('again'));
  health.confirm();
  expect(health.reason()).toBeUndefined();
  health.close();
});
