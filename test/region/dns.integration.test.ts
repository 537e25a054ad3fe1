import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { updateAddress } from '../../region/dns/update.ts';
import { userCacheDir } from '../../stack/cache.ts';
import { knotBinary, startKnot } from '../../stack/dns/knot.ts';
import { choosePorts } from '../../stack/ports.ts';
import { Servers } from '../../stack/servers.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../stack/support.ts';

const cacheDir = await userCacheDir(loadConfig());
const missing = await knotBinary(cacheDir, () => {}).then(
  () => undefined,
  (error: Error) => error.message,
);
const key = { name: 'failover', secret: randomBytes(32) };

describe.skipIf(missing !== undefined && process.env.CI === undefined)(
  `DNS update at Knot DNS ${missing ?? ''}`,
  () => {
    let directory: TemporaryDirectory;
    let servers: Servers;
    let server: string;
    const resolver = new Resolver();

    beforeAll(async () => {
      directory = await temporaryDirectory();
      servers = new Servers(directory.path, () => {});
      const { dns = 0 } = await choosePorts(['dns'], {});
      server = `127.0.0.1:${dns}`;
      const own = path.join(directory.path, 'dns');
      await mkdir(own);
      const zone = {
        name: 'mesh.test',
        records: ['orders A 127.0.0.11'],
        key: { ...key, secret: key.secret.toString('base64') },
      };
      await startKnot({ directory: own, cacheDir, port: dns, zone, servers, onProgress: () => {} });
      resolver.setServers([server]);
    });
    afterAll(async () => {
      await servers.stopAll();
      await directory[Symbol.asyncDispose]();
    });

    const update = (changes: object = {}) =>
      updateAddress({
        server,
        zone: 'mesh.test',
        name: 'orders.mesh.test',
        address: '127.0.0.12',
        ttlSeconds: 5,
        key,
        ...changes,
      });

    test('moves the name', async () => {
      expect(await resolver.resolve4('orders.mesh.test')).toEqual(['127.0.0.11']);
      await update();
      expect(await resolver.resolve4('orders.mesh.test', { ttl: true })).toEqual([{ address: '127.0.0.12', ttl: 5 }]);
    });

    test('leaves no address of the other kind behind', async () => {
      await update({ address: 'fd00::12' });
      expect(await resolver.resolve6('orders.mesh.test')).toEqual(['fd00::12']);
      await expect(resolver.resolve4('orders.mesh.test')).rejects.toThrow('ENODATA');
    });

    test('says why the server refuses', async () => {
      await expect(update({ key: { ...key, secret: randomBytes(32) } })).rejects.toThrow('NOTAUTH');
      await expect(update({ name: 'orders.other.test' })).rejects.toThrow('outside of the zone');
      await expect(update({ server: '127.0.0.1:1' })).rejects.toThrow('127.0.0.1:1 cannot be reached');
    });
  },
);
