import { expect, test } from 'vitest';
import { onceWhile, worthShowing } from '../../stack/system/log-file.ts';

test('a warning is shown with its reason, in one line', () => {
  const line = JSON.stringify({ level: 40, msg: 'BigQuery did not take a batch', err: { message: 'timeout' } });
  expect(worthShowing(line)).toBe('BigQuery did not take a batch: timeout');
});

test('what is only information stays in the file', () => {
  expect(worthShowing(JSON.stringify({ level: 30, msg: 'started' }))).toBeUndefined();
});

test('the last words of a crash are shown as they are', () => {
  expect(worthShowing('TypeError: x is not a function')).toBe('TypeError: x is not a function');
});

test('what a role says before each of its ends is shown once until it is ready again', () => {
  const shown: string[] = [];
  let ended = false;
  const note = onceWhile(
    () => ended,
    (line) => shown.push(line),
  );
  const end = 'ordermesh: cannot listen on port 8080';
  note('a warning');
  note('a warning');
  note(end);
  ended = true;
  for (let round = 0; round < 3; round++) note(end);
  note('another reason');
  ended = false;
  note(end);
  expect(shown).toEqual(['a warning', 'a warning', end, 'another reason', end]);
});
