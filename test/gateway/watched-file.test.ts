import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { watchFileText } from '../../telemetry/files/watched-file.ts';

const soon = { timeout: 20_000, interval: 100 };
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ordermesh-watched-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

/** Replaces a file in one step. */
function put(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

test('a pipe in the place of the file is reported and blocks nothing; a good file in its place is read', async () => {
  const file = join(directory, 'list');
  put(file, 'first');
  const taken: string[] = [];
  const watched = await watchFileText({ files: [file], what: 'the list', take: (text) => taken.push(text) });
  execFileSync('mkfifo', [`${file}.pipe`]);
  renameSync(`${file}.pipe`, file);
  await vi.waitFor(() => expect(watched.trouble()).toMatch(/the list cannot be read: .*not a regular file/), soon);
  put(file, 'second');
  await vi.waitFor(() => expect(taken).toEqual(['first', 'second']), soon);
  await vi.waitFor(() => expect(watched.trouble()).toBeUndefined(), soon);
  watched.close();
});

test('a pipe at start is refused instead of waited for', async () => {
  const file = join(directory, 'pipe');
  execFileSync('mkfifo', [file]);
  await expect(watchFileText({ files: [file], what: 'the list', take() {} })).rejects.toThrow(/not a regular file/);
});

describe('on a simulated file system', () => {
  /** The answers of the file system; a promise that is never settled is a mount that hangs. */
  let version: () => Promise<string>;
  let text: string;
  let reachable = false;
  let taken: string[];
  const watch = () =>
    watchFileText({
      files: ['f'],
      what: 'the list',
      take: (read) => taken.push(read),
      reads: { versionOf: () => version(), textOf: async () => text, isReachable: async () => reachable },
    });
  beforeEach(() => {
    vi.useFakeTimers();
    taken = [];
    version = async () => 'v1';
    text = 'first';
  });

  test('a mount that hangs is reported, and the file that takes its place is read', async () => {
    const watched = await watch();
    const hang = Promise.withResolvers<string>();
    let looks = 0;
    version = () => {
      looks++;
      return hang.promise;
    };
    await vi.advanceTimersByTimeAsync(60_000);
    // One thread hangs, and not one more each second.
    expect(looks).toBe(1);
    expect(watched.trouble()).toMatch(/it was not read within 5 s/);
    version = async () => 'v2';
    text = 'second';
    reachable = true;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(taken).toEqual(['first', 'second']);
    expect(watched.trouble()).toBeUndefined();
    // The look that hung had read an older text than the later look.
    hang.resolve('v0');
    text = 'old';
    await vi.advanceTimersByTimeAsync(3_000);
    expect(taken).toEqual(['first', 'second']);
    watched.close();
  });

  test('at start a mount that hangs is an error', async () => {
    const hang = Promise.withResolvers<string>();
    version = () => hang.promise;
    const started = expect(watch()).rejects.toThrow(/it was not read within 5 s/);
    await vi.advanceTimersByTimeAsync(6_000);
    await started;
    hang.resolve('v');
    await vi.advanceTimersByTimeAsync(0);
  });

  test('a file that is being written is taken when two looks have seen the same', async () => {
    const watched = await watch();
    // Emptied at the moment of one look, written before the next.
    version = async () => 'empty';
    text = '';
    await vi.advanceTimersByTimeAsync(1_000);
    version = async () => 'v2';
    text = 'second';
    await vi.advanceTimersByTimeAsync(3_000);
    expect(taken).toEqual(['first', 'second']);
    watched.close();
  });
});
