import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { installOnce } from '../../stack/cache.ts';
import { temporaryDirectory } from './support.ts';

const install = (text: string) => (directory: string) => writeFile(path.join(directory, 'file'), text);

test('a directory is installed once', async () => {
  await using cache = await temporaryDirectory();
  await installOnce(cache.path, 'thing', install('first'));
  const directory = await installOnce(cache.path, 'thing', install('second'));
  expect(await readFile(path.join(directory, 'file'), 'utf8')).toBe('first');
});

test('a failed install leaves nothing and is tried again', async () => {
  await using cache = await temporaryDirectory();
  const failing = installOnce(cache.path, 'thing', async () => {
    throw new Error('no network');
  });
  await expect(failing).rejects.toThrow('no network');
  expect(await readdir(cache.path)).toEqual([]);
  await installOnce(cache.path, 'thing', install('whole'));
  expect(await readdir(cache.path)).toEqual(['thing']);
});

test('what an interrupted install left is removed', async () => {
  await using cache = await temporaryDirectory();
  // No process has this id: Linux and macOS stay below.
  await mkdir(path.join(cache.path, 'thing.partial-4194999'));
  await installOnce(cache.path, 'thing', install('whole'));
  expect(await readdir(cache.path)).toEqual(['thing']);
});
