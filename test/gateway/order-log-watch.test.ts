import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { GatewayMetrics } from '../../gateway/metrics.ts';
import { Admission } from '../../gateway/orders/admission.ts';
import { watchOrderLog } from '../../gateway/orders/order-log-watch.ts';
import { RecentOrders } from '../../gateway/orders/recent-orders.ts';
import { Reception, type Submission } from '../../gateway/orders/reception.ts';
import type { TopicLook } from '../../kafka/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { HeldIntake, sampleOrder, storeId } from './support.ts';
import { from, look } from './topic-looks.ts';

const WINDOW_MS = 600_000;
const LOOK_MS = 5_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function bench(first: TopicLook | Error = look('a', from(0, 0))) {
  const logger = createLogger('gateway', 'silent');
  const lines: string[] = [];
  const note = (_: object, message?: string) => void lines.push(message ?? '');
  Object.assign(logger, { warn: note, info: note });
  const intake = new HeldIntake();
  const clock = systemClock;
  const recent = new RecentOrders<Submission>({ ordersMax: 100, ageMs: WINDOW_MS, clock });
  const admission = new Admission({ ordersMax: 100, bytesMax: 1_000_000, ageMsMax: 5_000, clock });
  const reception = new Reception({ intake, admission, recent, metrics: new GatewayMetrics(), clock });
  const log: { look: TopicLook | Error | undefined; close?: Error } = { look: first };
  const end = await watchOrderLog({
    topic: 'raw-orders',
    log: {
      async look() {
        if (log.look instanceof Error) throw log.look;
        return log.look;
      },
      async close() {
        if (log.close !== undefined) throw log.close;
      },
    },
    partitions: 1,
    windowMs: WINDOW_MS,
    logger,
    forget: () => recent.forget(),
  });
  const stopTicks = recent.watchOldest(() => {});
  const sent = Buffer.from(JSON.stringify(sampleOrder()));
  const answers: string[] = [];
  return {
    lines,
    intake,
    log,
    answers,
    submit: () =>
      reception.submit({
        bytes: Buffer.from(sent),
        size: sent.length,
        identity: { store: storeId, expiresAt: Number.POSITIVE_INFINITY },
        traceparent: '',
        requestId: '',
        accepted: () => answers.push('accepted'),
        refused: ({ code }) => answers.push(code),
      }),
    async [Symbol.asyncDispose]() {
      stopTicks();
      await end();
    },
  };
}

test('a repeat is answered from memory while the log is the same, and appended again when the log is another', async () => {
  await using scene = await bench();
  const { lines, intake, log, answers, submit } = scene;
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  submit();
  intake.settle();
  log.look = look('a', from(0, 1));
  await vi.advanceTimersByTimeAsync(2 * LOOK_MS);
  submit();
  expect([intake.taken.length, answers]).toEqual([1, ['accepted', 'accepted']]);
  log.look = look('b', from(0, 0));
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  submit();
  expect([intake.unanswered, answers.length]).toEqual([1, 2]);
  expect(lines).toEqual([expect.stringMatching(/deleted and created again: accepted orders are forgotten/)]);
  // Orders that are appended from now on are remembered again.
  intake.settle();
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  submit();
  expect([intake.taken.length, answers.length]).toEqual([2, 4]);
});

test('an order in flight when the log was lost is not remembered: its 202 may be of the log that was lost', async () => {
  await using scene = await bench();
  const { intake, log, answers, submit } = scene;
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  submit();
  log.look = look('b', from(0, 0));
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  intake.settle();
  submit();
  expect([intake.taken.length, answers]).toEqual([2, ['accepted']]);
});

test('a log that cannot be read is reported once, with its end, and orders from before the first look are forgotten', async () => {
  await using scene = await bench(new Error('look of raw-orders: no broker answers'));
  const { lines, intake, log, submit } = scene;
  await vi.advanceTimersByTimeAsync(10 * LOOK_MS);
  expect(lines).toEqual([expect.stringMatching(/^cannot look whether/)]);
  submit();
  intake.settle();
  log.look = look('b', from(0, 1));
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  submit();
  expect(intake.taken.length).toBe(2);
  expect(lines.at(-1)).toMatch(/can be looked for in the log again after \d+ s/);
});

test('a topic that is missing is logged once, with its end', async () => {
  await using scene = await bench();
  const { lines, log } = scene;
  log.look = undefined;
  await vi.advanceTimersByTimeAsync(3 * LOOK_MS);
  expect(lines).toEqual([expect.stringMatching(/^the topic does not exist/)]);
  log.look = look('a', from(0, 0));
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  expect(lines.slice(1)).toEqual([expect.stringMatching(/^the topic exists again after \d+/)]);
});

test('the end of the watch does not fail when the connection does not close, and says so', async () => {
  const scene = await bench();
  scene.log.close = new Error('the broker is gone');
  await scene[Symbol.asyncDispose]();
  expect(scene.lines).toEqual([expect.stringMatching(/did not close/)]);
});
