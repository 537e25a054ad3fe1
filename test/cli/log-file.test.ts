import { expect, test } from 'vitest';
import { worthShowing } from '../../cli/system/log-file.ts';

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
