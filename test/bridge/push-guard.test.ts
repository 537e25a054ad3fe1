import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startLoyalty } from '../../bridge/loyalty/loyalty-function.ts';
import { guardPushes } from '../../bridge/loyalty/push-guard.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { createLogger } from '../../telemetry/logger.ts';

const serviceAccount = 'push@project.iam.gserviceaccount.com';
const audience = 'https://loyalty.example/projects/p/topics/order-events';
const iss = 'https://accounts.google.com';
const logger = createLogger('test', 'silent');
const keys = await generateKeyPair('RS256');
const stranger = await generateKeyPair('RS256');

function token(claims: object = {}, key = keys.privateKey): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({ iss, aud: audience, email: serviceAccount, email_verified: true, sub: '1', ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuedAt(now)
    .setExpirationTime(now + 3_600)
    .sign(key);
}

let registry: Registry;
let handled: string[];
let isIssuerUp: boolean;
let close: () => void;
let post: (authorization?: string) => Promise<number>;
beforeEach(async () => {
  registry = new Registry();
  handled = [];
  isIssuerUp = true;
  const certificates = JSON.stringify({ k1: await exportSPKI(keys.publicKey) });
  const issuer = createServer((_request, response) =>
    response.writeHead(isIssuerUp ? 200 : 404, { 'content-type': 'application/json' }).end(certificates),
  );
  const server = createServer((request, response) => {
    request.setEncoding('utf8');
    request.on('data', (text) => handled.push(text)).on('end', () => response.writeHead(204).end());
  });
  for (const each of [issuer, server]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
  const urlOf = (each: typeof server) => `http://127.0.0.1:${(each.address() as AddressInfo).port}/`;
  guardPushes(server, {
    serviceAccount,
    audience,
    registry,
    logger,
    issuer: { issuers: [iss], certificatesUrl: urlOf(issuer) },
  });
  post = async (authorization) =>
    (
      await fetch(urlOf(server), {
        method: 'POST',
        body: 'a push',
        headers: authorization === undefined ? {} : { authorization },
      })
    ).status;
  close = () => {
    for (const each of [issuer, server]) each.close();
  };
});
afterEach(() => close());

test('a push of the configured account is handled, with its whole body', async () => {
  expect(await post(`Bearer ${await token()}`)).toBe(204);
  expect(handled).toEqual(['a push']);
});

test.each<[string, number, string, () => Promise<string | undefined>]>([
  ['without a token', 401, 'no-token', async () => undefined],
  ['with no JWT', 401, 'bad-token', async () => 'Bearer abc'],
  ['signed by a stranger', 401, 'bad-token', async () => `Bearer ${await token({}, stranger.privateKey)}`],
  ['for another audience', 401, 'bad-token', async () => `Bearer ${await token({ aud: 'https://elsewhere' })}`],
  ['of another issuer', 401, 'bad-token', async () => `Bearer ${await token({ iss: 'https://elsewhere' })}`],
  ['that is over', 401, 'bad-token', async () => `Bearer ${await expired()}`],
  ['of another account', 403, 'other-account', async () => `Bearer ${await token({ email: 'x@y.z' })}`],
  ['of an unproved account', 403, 'other-account', async () => `Bearer ${await token({ email_verified: false })}`],
])('a push %s is refused with %i and counted', async (_name, status, reason, authorization) => {
  expect(await post(await authorization())).toBe(status);
  expect(handled).toEqual([]);
  expect(await registry.metrics()).toContain(`ordermesh_loyalty_pushes_refused_total{reason="${reason}"} 1`);
});

test('without the certificates of the issuer a push comes again', async () => {
  isIssuerUp = false;
  expect(await post(`Bearer ${await token()}`)).toBe(503);
  isIssuerUp = true;
  expect(await post(`Bearer ${await token()}`)).toBe(204);
});

test('beyond loopback the role needs the account', async () => {
  const config = loadConfig({
    ORDERMESH_HOST: '0.0.0.0',
    GOOGLE_CLOUD_PROJECT: 'p',
    DATABASE_URL: 'postgres://127.0.0.1:1/none',
  });
  await expect(startLoyalty(config, logger)).rejects.toThrow(/0\.0\.0\.0.*LOYALTY_PUSH_SERVICE_ACCOUNT/);
});

function expired(): Promise<string> {
  const past = Math.floor(Date.now() / 1_000) - 7_200;
  return new SignJWT({ iss, aud: audience, email: serviceAccount, email_verified: true })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuedAt(past)
    .setExpirationTime(past + 3_600)
    .sign(keys.privateKey);
}
