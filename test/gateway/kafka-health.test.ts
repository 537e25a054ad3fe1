import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { watchKafka } from '../../gateway/orders/kafka-health.ts';
import { createKafkaIntake } from '../../gateway/orders/kafka-intake.ts';
import type { RecordProducer } from '../../kafka/index.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** Questions that wait for the test's answer. */
function questions() {
  const waiting: ((outage: string | undefined) => void)[] = [];
  return { waiting, ask: () => new Promise<string | undefined>((resolve) => waiting.push(resolve)) };
}

test('an answer to an older question does not overwrite what an acknowledged append has proved', async () => {
  const { waiting, ask } = questions();
  const health = watchKafka(plainCluster(['none:1']), { ask });
  health.confirm();
  waiting[0]?.('no broker answers');
  await vi.waitFor(() => expect(health.reason()).toBeUndefined());
  await new Promise((resolve) => setImmediate(resolve));
  expect([health.reason(), health.outage()]).toEqual([undefined, undefined]);
  health.close();
});

test('an append that failed after the proof asks again', async () => {
  const { waiting, ask } = questions();
  const health = watchKafka(plainCluster(['none:1']), { ask });
  health.confirm();
  health.suspect(new Error('not acknowledged'));
  waiting[0]?.('no broker answers');
  await vi.waitFor(() => expect(waiting).toHaveLength(2), { timeout: 4_000 });
  expect(health.reason()).toBe('not acknowledged');
  waiting[1]?.(undefined);
  await vi.waitFor(() => expect(health.reason()).toBeUndefined());
  health.close();
});

test('a gateway whose appends fail while Kafka answers well is not ready until none has failed for a while', async () => {
  const { waiting, ask } = questions();
  let now = 1_000_000;
  const health = watchKafka(plainCluster(['none:1']), { ask, now: () => now });
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
  expect(health.confirm()).toBe(false);
  expect(health.reason()).toBe('again');
  now += 16_000;
  expect(health.confirm()).toBe(true);
  expect(health.reason()).toBeUndefined();
  health.close();
});

describe('with a clock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('a gateway without orders notices that Kafka is down, that it does not answer, and that it is back', async () => {
    let answer: () => Promise<string | undefined> = async () => undefined;
    const lines: string[] = [];
    const tell = (_: object, text: string) => lines.push(text);
    const logger = { warn: tell, info: tell, debug() {} } as unknown as Logger;
    const health = watchKafka(plainCluster(['none:1']), { ask: () => answer(), now: Date.now, logger });
    await vi.advanceTimersByTimeAsync(0);
    expect(health.reason()).toBeUndefined();
    answer = async () => 'no broker answers';
    await vi.advanceTimersByTimeAsync(12_000);
    expect([health.reason(), health.outage()]).toEqual(['no broker answers', 'no broker answers']);
    answer = async () => undefined;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(health.reason()).toBeUndefined();
    expect(lines).toEqual([
      'Kafka cannot take orders: no broker answers; the gateway asks again until it can',
      expect.stringMatching(/^Kafka answers the gateway again after/),
    ]);
    // Like stopped brokers, which accept the connection and do not answer.
    const silent = Promise.withResolvers<string | undefined>();
    answer = () => silent.promise;
    await vi.advanceTimersByTimeAsync(17_000);
    expect(health.reason()).toMatch(/has not answered a question/);
    silent.resolve(undefined);
    await vi.advanceTimersByTimeAsync(0);
    expect(health.reason()).toBeUndefined();
    health.close();
  });

  test('while orders are acknowledged, Kafka is asked nothing', async () => {
    const ask = vi.fn(async () => undefined);
    const health = watchKafka(plainCluster(['none:1']), { ask, now: Date.now });
    for (let n = 0; n < 60; n++) {
      await vi.advanceTimersByTimeAsync(1_000);
      health.confirm();
    }
    expect(ask).toHaveBeenCalledOnce();
    health.close();
  });

  test('one partition that takes nothing makes the gateway not ready, and is logged once, with its end', async () => {
    const health = watchKafka(plainCluster(['none:1']), { ask: async () => undefined, now: Date.now });
    const lines: string[] = [];
    const logger = {
      error: (_: object, text: string) => lines.push(text),
      info: (_: object, text: string) => lines.push(text),
    } as unknown as Logger;
    let trouble: Error | null = new Error('partition 3 of topic raw-orders: NOT_ENOUGH_REPLICAS');
    let appended = 0;
    const producer = {
      unanswered: { records: 0, bytes: 0 },
      append: (_: unknown, done: (error: Error | null) => void) => {
        appended++;
        done(appended % 12 === 0 ? trouble : null);
      },
      send: async () => {},
      close: async () => {},
    } as RecordProducer;
    const intake = createKafkaIntake({ producer, health, logger, clock: systemClock, source: '/test' });
    const order = { orderId: 'o', value: '{}' } as unknown as Parameters<typeof intake.accept>[0];
    const ready: boolean[] = [];
    const orders = async (count: number) => {
      for (let n = 0; n < count; n++) {
        await vi.advanceTimersByTimeAsync(500);
        intake.accept(order, () => {});
        ready.push(intake.readiness() === undefined);
      }
    };
    await orders(240);
    // Ready before the first failed order, and perhaps until the second one, which contradicts Kafka's answer that all is well.
    expect(ready.lastIndexOf(true)).toBeLessThan(24);
    expect(intake.readiness()).toMatch(/partition 3 .*NOT_ENOUGH_REPLICAS/);
    expect(lines).toEqual(['Kafka does not acknowledge orders; they are refused until it does']);
    trouble = null;
    await orders(40);
    expect(intake.readiness()).toBeUndefined();
    expect(lines).toHaveLength(2);
    await intake.close();
  });

  test('after an outage the first acknowledged append is believed', async () => {
    let answer: string | undefined;
    const health = watchKafka(plainCluster(['none:1']), { ask: async () => answer, now: Date.now });
    await vi.advanceTimersByTimeAsync(1_000);
    health.confirm();
    answer = 'no broker answers';
    health.suspect(new Error('not acknowledged'));
    await vi.advanceTimersByTimeAsync(10);
    expect(health.outage()).toBe('no broker answers');
    answer = undefined;
    expect(health.confirm()).toBe(true);
    expect(health.reason()).toBeUndefined();
    health.close();
  });
});
