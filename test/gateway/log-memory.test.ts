import { expect, test } from 'vitest';
import { LogMemory } from '../../gateway/orders/log-memory.ts';
import { from, look } from './topic-looks.ts';

const WINDOW_MS = 600_000;
const LOOK_MS = 5_000;

test('a log that grows, and one whose old records retention removes, has lost nothing of the window', () => {
  const memory = new LogMemory(WINDOW_MS);
  for (let minute = 0; minute < 60; minute++) {
    const latest = 1_000 + minute * 100;
    // Retention keeps what came in the last twelve minutes.
    const earliest = Math.max(0, latest - 1_200);
    expect(memory.judge(look('a', from(earliest, latest)), minute * 60_000)).toBeUndefined();
  }
});

test('records that are younger than the window are missed, once', () => {
  const memory = new LogMemory(WINDOW_MS);
  memory.judge(look('a', from(0, 10), from(0, 10)), 0);
  memory.judge(look('a', from(0, 10), from(0, 20)), LOOK_MS);
  expect(memory.judge(look('a', from(0, 10), from(20, 20)), 2 * LOOK_MS)).toBe('removed');
  expect(memory.judge(look('a', from(0, 10), from(20, 20)), 3 * LOOK_MS)).toBeUndefined();
});

test('a log that is shorter than before at two looks has lost records; one that was shorter at one look has not', () => {
  const memory = new LogMemory(WINDOW_MS);
  memory.judge(look('a', from(0, 10)), 0);
  expect(memory.judge(look('a', from(0, 9)), LOOK_MS)).toBe('shorter');
  expect(memory.judge(look('a', from(0, 10)), 2 * LOOK_MS)).toBeUndefined();
  expect(memory.judge(look('a', from(0, 9)), 3 * LOOK_MS)).toBe('shorter');
  expect(memory.judge(look('a', from(0, 9)), 4 * LOOK_MS)).toBe('truncated');
  expect(memory.judge(look('a', from(0, 9)), 5 * LOOK_MS)).toBeUndefined();
});

test('a partition that comes back with a shorter log after a time without a leader has lost records', () => {
  const memory = new LogMemory(WINDOW_MS);
  memory.judge(look('a', from(0, 10), from(0, 10)), 0);
  const leaderless = look('a', from(0, 10), from(0, 10));
  const withoutSecond = { ...leaderless, ranges: new Map([...leaderless.ranges].slice(0, 1)) };
  expect(memory.judge(withoutSecond, LOOK_MS)).toBeUndefined();
  expect(memory.judge(look('a', from(0, 10), from(0, 7)), 2 * LOOK_MS)).toBe('shorter');
  expect(memory.judge(look('a', from(0, 10), from(0, 7)), 3 * LOOK_MS)).toBe('truncated');
});

test('records that are younger than the window are missed, also in a partition that had no leader for a while', () => {
  const memory = new LogMemory(WINDOW_MS);
  const mark = WINDOW_MS / 10;
  const full = look('a', from(0, 10), from(0, 10));
  memory.judge(full, 0);
  memory.judge({ ...full, ranges: new Map([...full.ranges].slice(0, 1)) }, mark);
  memory.judge(look('a', from(0, 10), from(0, 20)), 2 * mark);
  memory.judge(look('a', from(0, 10), from(0, 20)), 11 * mark);
  expect(memory.judge(look('a', from(0, 10), from(20, 20)), 11.5 * mark)).toBe('removed');
});
