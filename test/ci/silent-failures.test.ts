import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Code that hides a failure: a catch without its error, a rejection that is replaced by a value. */
const swallows = /\bcatch \{|\.catch\((noop|\(\) => (\{\}|undefined|null|false|\[\]))\)/;
const comment = /\/\/ ?\S|\*\/$/;

const shipped = ['*.ts', ':!test', ':!perf', ':!lab', ':!docs'];

function files(): string[] {
  return execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...shipped], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
}

test('a failure that is not passed on says, beside it, why it cannot matter or who is told', () => {
  const silent = files().flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.flatMap((line, index) => {
      const beside = [lines[index - 1], line, lines[index + 1]];
      return swallows.test(line) && !beside.some((text) => comment.test(text?.trim() ?? ''))
        ? [`${file}:${index + 1}`]
        : [];
    });
  });
  expect(silent).toEqual([]);
});

test('transactions go through inTransaction, which survives the loss of its connection', () => {
  const direct = files().filter((file) => {
    const text = readFileSync(file, 'utf8');
    return file !== 'store/database/database.ts' && /\b(sql|database|db|to)\.begin\(/.test(text);
  });
  expect(direct).toEqual([]);
});
