import { chown, mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { postgresBinaries } from '../../stack/postgres/binaries.ts';
import { giveTo, serverIdentity } from '../../stack/postgres/identity.ts';
import { temporaryDirectory } from './support.ts';

const isRoot = process.getuid?.() === 0;

test('PostgreSQL runs as whoever runs us, or as nobody for root', async () => {
  const identity = await serverIdentity((await postgresBinaries()).initdb);
  expect(identity.prefix.length > 0 || identity.spawnAs !== undefined).toBe(isRoot);
});

test('files change their owner only where another one is needed', async () => {
  await using directory = await temporaryDirectory();
  const [data, file] = [path.join(directory.path, 'data'), path.join(directory.path, 'data/base/1')];
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, '');
  const { uid, gid } = await stat(data);
  await giveTo(undefined, data);
  await giveTo({ uid, gid }, data);
  expect((await stat(file)).uid).toBe(uid);
  if (!isRoot) return;
  await giveTo({ uid: 65_534, gid: 65_534 }, data);
  expect((await stat(file)).uid).toBe(65_534);
  expect((await stat(data)).uid).toBe(65_534);
  await chown(data, 0, 0);
});
