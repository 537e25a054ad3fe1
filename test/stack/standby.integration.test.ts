import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { choosePorts } from '../../stack/ports.ts';
import { copyAsStandby, startPostgres } from '../../stack/postgres/server.ts';
import { Servers } from '../../stack/servers.ts';
import { connectDatabase } from '../../store/database/database.ts';
import { promote, standbyLagBytes, standbyStatus } from '../../store/database/standby.ts';
import { temporaryDirectory } from './support.ts';

const small = { shared_buffers: '16MB', max_connections: '20' };

test('a standby follows its primary, and takes writes when that is dead', async () => {
  await using directory = await temporaryDirectory();
  const servers = new Servers(directory.path, () => {});
  await using stopping = new AsyncDisposableStack();
  stopping.defer(() => servers.stopAll('SIGKILL'));
  const ports = await choosePorts(['one', 'two'], {});
  const options = (name: 'one' | 'two') => ({
    name,
    directory: path.join(directory.path, name),
    port: ports[name] ?? 0,
    servers,
    settings: small,
  });
  const [one, two] = [options('one'), options('two')];
  await Promise.all([mkdir(one.directory), mkdir(two.directory)]);
  const primary = await startPostgres(one);
  const before = connectDatabase({
    server: primary.environment.DATABASE_URL ?? '',
    connections: 1,
    application: 'test',
  });
  stopping.defer(() => before.end({ timeout: 1 }));
  await before`create table kept (n int)`;
  await before`insert into kept values (1)`;

  await copyAsStandby(one, two.directory);
  const standby = await startPostgres({ ...two, standbyOf: one.port });
  const after = connectDatabase({
    server: standby.environment.DATABASE_URL ?? '',
    connections: 1,
    application: 'test',
  });
  stopping.defer(() => after.end({ timeout: 1 }));
  await before`insert into kept values (2)`;
  await vi.waitFor(async () => expect(await after`select n from kept order by n`).toEqual([{ n: 1 }, { n: 2 }]));
  expect(await standbyStatus(after)).toMatchObject({ isStandby: true, appliedAtMs: expect.any(Number) });
  await vi.waitFor(async () => expect(await standbyLagBytes(before)).toBe(0));
  await expect(after`insert into kept values (3)`).rejects.toThrow('read-only');

  await primary.server.stop('SIGKILL');
  await promote(after);
  await promote(after);
  await after`insert into kept values (3)`;
  expect(await after`select n from kept order by n`).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
}, 60_000);
