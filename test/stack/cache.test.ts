import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { installOnce, userCacheDir } from '../../stack/cache.ts';
import { temporaryDirectory } from './support.ts';

const install = (text: string) => (directory: string) => writeFile(path.join(directory, 'file'), text);

test('a directory is installed once', async () => {
  await using cache = await temporaryDirectory();
  await installOnce(cache.path, 'thing', install('first'));
  const directory = await installOnce(cache.path, 'thing', install('second'));
  expect(await readFile(path.join(directory, 'file'), 'utf8')).toBe('first');
});

test('two parts of one process that need the same directory at once share its install', async () => {
  await using cache = await temporaryDirectory();
  const first = installOnce(cache.path, 'thing', install('first'));
  expect(installOnce(cache.path, 'thing', install('second'))).toBe(first);
  expect(await readFile(path.join(await first, 'file'), 'utf8')).toBe('first');
  expect(await readdir(cache.path)).toEqual(['thing']);
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

test('downloads are kept where every checkout of the user finds them', async () => {
  await using directory = await temporaryDirectory();
  const none = { ORDERMESH_CACHE_DIR: undefined };
  expect(await userCacheDir({ ORDERMESH_CACHE_DIR: directory.path })).toBe(directory.path);
  expect(await userCacheDir(none, { XDG_CACHE_HOME: directory.path })).toBe(path.join(directory.path, 'ordermesh'));
  expect(await userCacheDir(none, { XDG_CACHE_HOME: 'relative' })).toBe(path.join(homedir(), '.cache/ordermesh'));
});

test('a user who cannot write to the cache directory keeps downloads in the project', async () => {
  await using directory = await temporaryDirectory();
  const file = path.join(directory.path, 'file');
  await writeFile(file, '');
  const project = fileURLToPath(new URL('../../.cache/', import.meta.url));
  expect(await userCacheDir({ ORDERMESH_CACHE_DIR: undefined }, { XDG_CACHE_HOME: file })).toBe(project);
});
