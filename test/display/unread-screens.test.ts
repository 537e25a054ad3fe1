import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { Screen } from '../../display/screens.ts';
import { UnreadScreens } from '../../display/unread-screens.ts';
import { StateLog } from '../../telemetry/state-log.ts';

let said: string[];
let retried: Screen[];
let unread: UnreadScreens;
const error = new Error('invalid page in block 7');
const newScreen = (storeId: string) => ({ storeId, closed: false }) as Screen;

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  retried = [];
  const logger = pino({ base: null }, { write: (line: string) => void said.push(JSON.parse(line).msg) });
  const states = new StateLog(logger);
  unread = new UnreadScreens({ states, clock: systemClock, retry: (screen) => void retried.push(screen) });
});
afterEach(() => {
  unread.close();
  vi.useRealTimers();
});

test('reads the tickets of a screen again until they are read', () => {
  const screen = newScreen('us-il-0001');
  unread.failed(screen, error);
  vi.advanceTimersByTime(500);
  expect(retried).toEqual([screen]);
  unread.failed(screen, error);
  expect(unread.standstill?.reason).toContain('us-il-0001: invalid page');
  unread.settled(screen);
  vi.advanceTimersByTime(10_000);
  expect([retried.length, unread.size, said.length]).toEqual([1, 0, 2]);
});

test('forgets a screen that closes, also after a retry that an outage of the database has ended', () => {
  const screen = newScreen('us-il-0001');
  unread.failed(screen, error);
  // During an outage a retry ends without a call of `settled` or `failed`.
  vi.advanceTimersByTime(500);
  screen.closed = true;
  unread.settled(screen);
  unread.failed(screen, error);
  expect([unread.size, unread.standstill]).toEqual([0, undefined]);
  expect(said.at(-1)).toMatch(/can be read again/);
});
