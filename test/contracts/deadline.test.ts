import { expect, test } from 'vitest';
import { pause, settlesWithin, withDeadline } from '../../contracts/deadline.ts';
import { ManualTimers } from '../runtime/manual-timers.ts';

const late = () => new Error('too late');

test('work in time keeps its outcome, and its timer is cancelled', async () => {
  const timers = new ManualTimers();
  expect(await withDeadline(timers, 100, Promise.resolve('answer'), late)).toBe('answer');
  await expect(withDeadline(timers, 100, Promise.reject(new Error('refused')), late)).rejects.toThrow('refused');
  expect(await settlesWithin(timers, 100, Promise.resolve())).toBe(true);
  expect(await timers.step()).toBe(false);
});

test('late work ends with the error of the caller, whatever the work does later', async () => {
  const timers = new ManualTimers();
  const work = Promise.withResolvers<void>();
  const answer = withDeadline(timers, 100, work.promise, late);
  const refused = expect(answer).rejects.toThrow('too late');
  await timers.advance(99);
  expect(await Promise.race([answer.catch(() => 'ended'), 'waiting'])).toBe('waiting');
  await timers.advance(1);
  await refused;
  work.reject(new Error('dropped'));
});

test('settlesWithin says whether the work settled, and drops how', async () => {
  const timers = new ManualTimers();
  expect(await settlesWithin(timers, 100, Promise.reject(new Error('dropped')))).toBe(true);
  const work = Promise.withResolvers<void>();
  const answer = settlesWithin(timers, 100, work.promise);
  await timers.advance(100);
  expect(await answer).toBe(false);
  work.reject(new Error('dropped'));
});

test('a pause ends when its signal is aborted, before or after its beginning', async () => {
  const stop = new AbortController();
  const waiting = pause(2 ** 30, stop.signal);
  stop.abort();
  await waiting;
  await pause(2 ** 30, stop.signal);
});
