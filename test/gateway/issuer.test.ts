import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { developmentIssuer, issueToken } from '../../gateway/identity/issuer.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ordermesh-issuer-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

test('makes a private key for its owner alone, and keeps it', async () => {
  const first = await developmentIssuer(dataDir);
  const key = await readFile(first.privateKeyFile, 'utf8');
  expect((await stat(first.privateKeyFile)).mode & 0o777).toBe(0o600);
  await developmentIssuer(dataDir);
  expect(await readFile(first.privateKeyFile, 'utf8')).toBe(key);
});

test('a damaged key file is reported with its path and the remedy', async () => {
  const { privateKeyFile } = await developmentIssuer(dataDir);
  await writeFile(privateKeyFile, '');
  await expect(developmentIssuer(dataDir)).rejects.toThrow(
    `${privateKeyFile} holds no key; remove it to make a new one`,
  );
});

test('the JWKS holds no private part', async () => {
  const { jwksFile } = await developmentIssuer(dataDir);
  const { keys } = JSON.parse(await readFile(jwksFile, 'utf8'));
  expect(keys).toHaveLength(1);
  expect(keys[0]).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' });
  expect(keys[0]).not.toHaveProperty('d');
});

test('processes that start at the same time get the same key and leave no temporary files', async () => {
  const issuers = await Promise.all(Array.from({ length: 20 }, () => developmentIssuer(dataDir)));
  const file = issuers[0]?.privateKeyFile ?? '';
  const key = JSON.parse(await readFile(file, 'utf8'));
  const { keys } = JSON.parse(await readFile(issuers[0]?.jwksFile ?? '', 'utf8'));
  expect(keys[0].kid).toBe(key.kid);
  expect((await readdir(join(dataDir, 'issuer'))).sort()).toEqual(['jwks.json', 'private-key.json']);
});

test('a token names its store, issuer, audience and expiry', async () => {
  const config = loadConfig({ ORDERMESH_DATA_DIR: dataDir });
  const claims = decodeJwt(await issueToken({ config, store: 'us-il-0001', expiresIn: 60 }));
  expect(claims).toMatchObject({ store: 'us-il-0001', iss: 'ordermesh-dev', aud: 'ordermesh' });
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(60);
});

test('issues nothing where another issuer is configured', async () => {
  const config = loadConfig({ ORDERMESH_DATA_DIR: dataDir, ORDERMESH_JWKS: 'https://issuer.example/jwks' });
  await expect(issueToken({ config, store: 'us-il-0001' })).rejects.toThrow(/ORDERMESH_JWKS/);
});
