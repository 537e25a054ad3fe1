import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FetchPace } from '../../kafka/consumer/fetch-pace.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

async function isOver(wait: Promise<void>): Promise<boolean> {
  return await Promise.race([wait.then(() => true), Promise.resolve().then(() => Promise.resolve(false))]);
}

test('lets the fetch after a small one wait, for all of its partitions alike', async () => {
  const pace = new FetchPace(20);
  const waits = [pace.wait(1), pace.wait(3)];
  await vi.advanceTimersByTimeAsync(19);
  expect(await isOver(waits[0] as Promise<void>)).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await Promise.all(waits);
});

test('does not wait with a backlog, whatever the partitions brought one by one', async () => {
  const pace = new FetchPace(20);
  const first = pace.wait(150);
  await Promise.all([first, pace.wait(150)]);
});

test('starts again after each fetch', async () => {
  const pace = new FetchPace(20);
  await pace.wait(500);
  const next = pace.wait(1);
  expect(await isOver(next)).toBe(false);
  await vi.advanceTimersByTimeAsync(20);
  await next;
});

test('can be switched off', async () => {
  await new FetchPace(0).wait(1);
});
