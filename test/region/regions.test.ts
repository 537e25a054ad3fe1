import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { probeWith } from '#cli/region/probe-order.ts';
import { assertFlips, flipName } from '../../region/dns/flip.ts';
import { readRegions } from '../../region/regions.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../stack/support.ts';
import { ordermesh } from '../support/ordermesh.ts';

let directory: TemporaryDirectory;
let file: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  file = path.join(directory.path, 'regions.json');
});
afterAll(() => directory[Symbol.asyncDispose]());

const region = (address: string, changes: object = {}) => ({
  brokers: ['127.0.0.1:1'],
  databaseUrl: 'postgres://127.0.0.1:1/none',
  address,
  ...changes,
});
const rfc2136 = { server: 'ns1.mesh.test:53', zone: 'mesh.test', key: { name: 'failover', secretFile: 'tsig.key' } };

async function write(changes: { east?: object; dns?: object } = {}): Promise<void> {
  const { east, dns = rfc2136 } = changes;
  const regions = { east: region('192.0.2.1', east), west: region('2001:db8::1') };
  await writeFile(file, JSON.stringify({ regions, publicUrl: 'http://orders.mesh.test', ttlSeconds: 5, dns }));
}

describe('the regions file', () => {
  test('takes addresses of both kinds and a DNS server by its name', async () => {
    await write();
    expect((await readRegions(file)).byName.get('west')?.address).toBe('2001:db8::1');
  });

  test('takes the URL of a database from a file beside it', async () => {
    await write({ east: { databaseUrl: undefined, databaseUrlFile: 'east.url' } });
    const url = { file: path.join(directory.path, 'east.url') };
    expect((await readRegions(file)).byName.get('east')?.database).toEqual({ url });
  });

  test.each([
    [{ east: { databaseUrl: undefined } }, '/regions/east takes either databaseUrl or databaseUrlFile'],
    [{ east: { databaseUrlFile: 'east.url' } }, '/regions/east takes either databaseUrl or databaseUrlFile'],
    [{ east: { address: '10.0.0.300' } }, '/regions/east/address is 10.0.0.300, not an IP address'],
    [{ east: { brokers: ['a:9092', 'foo'] } }, '/regions/east/brokers/1 is foo, not host:port'],
    [{ dns: { ...rfc2136, server: 'ns1.x:99999' } }, '/dns/server is ns1.x:99999, not host:port'],
  ])('refuses %j', async (changes, reason) => {
    await write(changes);
    await expect(readRegions(file)).rejects.toThrow(reason);
  });
});

describe('a failover, before its first step', () => {
  afterEach(() => void vi.unstubAllEnvs());

  test('refuses a secret that is not there or empty', async () => {
    const secretFile = path.join(directory.path, 'tsig.key');
    const dns = { ...rfc2136, key: { name: 'failover', secretFile } };
    await expect(assertFlips(dns)).rejects.toThrow(secretFile);
    await writeFile(secretFile, '\n');
    await expect(assertFlips(dns)).rejects.toThrow('holds no secret of the DNS key');
    await writeFile(secretFile, 'c2VjcmV0\n');
    await expect(assertFlips(dns)).resolves.toBeUndefined();
  });

  test('refuses a DNS command that is no program', async () => {
    await expect(assertFlips({ command: ['/no/such/flip.sh'] })).rejects.toThrow('/no/such/flip.sh is no program');
    await expect(assertFlips({ command: ['sh'] })).resolves.toBeUndefined();
  });

  test('refuses a probe order that no gateway would take', async () => {
    vi.stubEnv('ORDERMESH_AUTH', 'off');
    const probeOrder = path.join(directory.path, 'order.json');
    await writeFile(probeOrder, '{"storeId":');
    await expect(probeWith({ probeOrder })).rejects.toThrow(`the probe order ${probeOrder} is not JSON`);
    await writeFile(probeOrder, '{"storeId":"us-il-0001"}');
    await expect(probeWith({ probeOrder })).rejects.toThrow('would not take the probe order');
  });

  test('refuses an empty token', async () => {
    vi.stubEnv('ORDERMESH_AUTH', 'on');
    const tokenFile = path.join(directory.path, 'token');
    await writeFile(tokenFile, '\n');
    await expect(probeWith({ tokenFile })).rejects.toThrow(`${tokenFile} is empty`);
    await writeFile(tokenFile, 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJwcm9iZSJ9.c2ln\n');
    expect(await probeWith({ tokenFile })).toMatchObject({ token: expect.stringMatching(/^eyJ.*c2ln$/) });
  });

  test('makes no issuer that no gateway knows', async () => {
    await write({ dns: { command: ['true'] } });
    const unknown = await ordermesh(['region', 'failover', '--regions', file], {}, '', directory.path);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no issuer') });
  });
});

describe('the status of regions that do not answer', () => {
  test('says why, and not that a failover is unfinished', async () => {
    await write({ dns: { command: ['/no/flip'] } });
    const { code, stdout } = await ordermesh(['region', 'status', '--regions', file]);
    expect(code).toBe(1);
    expect(stdout).toContain('does not answer: connect ECONNREFUSED 127.0.0.1:1');
    expect(stdout).toContain('neither region answers');
    expect(stdout).not.toContain('finish the failover');
    expect(stdout).toContain(
      "could not change the mesh's name: dns.command of the regions file: /no/flip is no program",
    );
  });
});

describe('a DNS command', () => {
  test('is ended when it ignores signals, and said to be late', async () => {
    const stubborn = path.join(directory.path, 'stubborn.sh');
    await writeFile(stubborn, "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.2; done\n");
    await chmod(stubborn, 0o755);
    const change = { name: 'orders.mesh.test', address: '192.0.2.1', ttlSeconds: 5 };
    await expect(flipName({ command: [stubborn] }, change, 500)).rejects.toThrow('did not end within 0.5 s');
  });

  test('is quoted when it fails', async () => {
    const change = { name: 'orders.mesh.test', address: '192.0.2.1', ttlSeconds: 5 };
    const command = ['sh', '-c', 'echo no such zone >&2; exit 3'];
    await expect(flipName({ command }, change)).rejects.toThrow('the DNS command sh failed (3): no such zone');
  });
});
