import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { createAuthenticator, isLoopback, TokenAuthenticator } from '../../gateway/identity/authenticator.ts';
import { type Authenticator, TokenError } from '../../gateway/identity/identity.ts';
import { keySet } from '../../gateway/identity/key-set.ts';
import { RateLimits } from '../../gateway/identity/rate-limit.ts';
import { watchRevokedTokens } from '../../gateway/identity/revoked-tokens.ts';
import { createLogger } from '../../telemetry/logger.ts';

const clock = { time: Date.now(), now: () => clock.time };
const issuer = 'ordermesh-dev';
const audience = 'ordermesh';
const logger = createLogger('test', 'silent');

interface Signer {
  jwk: JWK;
  sign(
    claims?: Record<string, unknown>,
    options?: { expiresInS?: number; issuer?: string; audience?: string },
  ): Promise<string>;
}

async function signer(alg: string, kid: string): Promise<Signer> {
  const pair: { publicKey: CryptoKey; privateKey: CryptoKey } = await generateKeyPair(alg);
  return {
    jwk: { ...(await exportJWK(pair.publicKey)), kid, alg },
    sign: (claims = { store: 'us-il-0001' }, options = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg, kid })
        .setIssuer(options.issuer ?? issuer)
        .setAudience(options.audience ?? audience)
        .setExpirationTime(Math.floor(clock.time / 1_000) + (options.expiresInS ?? 60))
        .sign(pair.privateKey),
  };
}

let directory: string;
let jwksFile: string;
beforeEach(async () => {
  clock.time = Date.now();
  directory = await mkdtemp(join(tmpdir(), 'ordermesh-auth-'));
  jwksFile = join(directory, 'jwks.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

type AuthenticatorOptions = ConstructorParameters<typeof TokenAuthenticator>[0];

function authenticatorWith(own: Pick<AuthenticatorOptions, 'keys' | 'revoked' | 'limits'>): TokenAuthenticator {
  return new TokenAuthenticator({
    issuer,
    audience,
    tokensCachedMax: 100,
    clock,
    clockToleranceMs: 30_000,
    ...own,
  });
}

async function authenticatorFor(...signers: Signer[]): Promise<Authenticator> {
  await writeFile(jwksFile, JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));
  return authenticatorWith({ keys: await keySet(jwksFile) });
}

test.each(['EdDSA', 'ES256', 'RS256'])('accepts %s and remembers the token until it expires', async (alg) => {
  const key = await signer(alg, 'k1');
  const authenticator = await authenticatorFor(key);
  const header = `Bearer ${await key.sign()}`;
  expect(authenticator.known(header)).toBeUndefined();
  expect(await authenticator.verify(header)).toMatchObject({ store: 'us-il-0001' });
  expect(authenticator.known(header)).toMatchObject({ store: 'us-il-0001' });
  // Its minute, and all but a second of the tolerance.
  clock.time += 89_000;
  expect(authenticator.known(header)).toMatchObject({ store: 'us-il-0001' });
  expect(await authenticator.verify(header)).toMatchObject({ store: 'us-il-0001' });
  clock.time += 2_000;
  expect(authenticator.known(header)).toBeUndefined();
  await expect(authenticator.verify(header)).rejects.toThrow('expired');
});

test('refuses every token with any fault', async () => {
  const key = await signer('EdDSA', 'k1');
  const stranger = await signer('EdDSA', 'k1');
  const other = await signer('EdDSA', 'k2');
  const hs = await new SignJWT({ store: 'us-il-0001', iss: issuer, aud: audience })
    .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
    .setExpirationTime('1m')
    .sign(Buffer.from(JSON.stringify(key.jwk)));
  const authenticator = await authenticatorFor(key);
  const good = await key.sign();
  const [head, claims, signature] = good.split('.');
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  const forged = Buffer.from(JSON.stringify({ store: 'us-il-0002', iss: issuer, aud: audience, exp: 9e9 })).toString(
    'base64url',
  );
  const tokens: Record<string, string> = {
    'no header': '',
    'another scheme': 'Basic YTpi',
    'no token': 'Bearer ',
    'not a JWT': 'Bearer abc',
    'alg none': `Bearer ${none}.${claims}.`,
    'alg none with a signature': `Bearer ${none}.${claims}.${signature}`,
    'a shared secret': `Bearer ${hs}`,
    'other claims': `Bearer ${head}.${forged}.${signature}`,
    'no signature': `Bearer ${head}.${claims}.`,
    'a stranger with our key id': `Bearer ${await stranger.sign()}`,
    'an unknown key id': `Bearer ${await other.sign()}`,
    expired: `Bearer ${await key.sign(undefined, { expiresInS: -31 })}`,
    'another audience': `Bearer ${await key.sign(undefined, { audience: 'elsewhere' })}`,
    'another issuer': `Bearer ${await key.sign(undefined, { issuer: 'elsewhere' })}`,
    'no store': `Bearer ${await key.sign({})}`,
    'a store that is no text': `Bearer ${await key.sign({ store: 1 })}`,
  };
  for (const [name, header] of Object.entries(tokens)) {
    await expect(authenticator.verify(header), name).rejects.toBeInstanceOf(TokenError);
    expect(authenticator.known(header), name).toBeUndefined();
  }
  expect(await authenticator.verify(`Bearer ${good}`)).toMatchObject({ store: 'us-il-0001' });
});

test('a key added to the file is known without a restart', async () => {
  const first = await signer('ES256', 'k1');
  const second = await signer('ES256', 'k2');
  const authenticator = await authenticatorFor(first);
  await writeFile(jwksFile, JSON.stringify({ keys: [first.jwk, second.jwk] }));
  const header = `Bearer ${await second.sign()}`;
  await expect
    .poll(
      () =>
        authenticator.verify(header).then(
          ({ store }) => store,
          () => undefined,
        ),
      { timeout: 5_000 },
    )
    .toBe('us-il-0001');
});

test('keys come from a URL as well; while the issuer is down, the error is not a TokenError', async () => {
  const key = await signer('EdDSA', 'k1');
  let status = 503;
  const server: Server = createServer((_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [key.jwk] })),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const keys = await keySet(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
    const authenticator = authenticatorWith({ keys });
    const header = `Bearer ${await key.sign()}`;
    await expect(authenticator.verify(header)).rejects.not.toBeInstanceOf(TokenError);
    status = 200;
    expect(await authenticator.verify(header)).toMatchObject({ store: 'us-il-0001' });
  } finally {
    server.close();
  }
});

test('authentication is off on a loopback address only', async () => {
  const off = await createAuthenticator({
    config: loadConfig({ ORDERMESH_AUTH: 'off', ORDERMESH_HOST: '127.0.0.1' }),
    clock,
    logger,
  });
  expect(off.known('')).toMatchObject({ store: undefined });
  const open = loadConfig({ ORDERMESH_AUTH: 'off', ORDERMESH_HOST: '0.0.0.0' });
  await expect(createAuthenticator({ config: open, clock, logger })).rejects.toThrow(/ORDERMESH_AUTH.*ORDERMESH_HOST/);
  expect(['localhost', '127.0.0.1', '127.1.2.3', '::1'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', ''].some(isLoopback)).toBe(false);
});

test('a JWKS file that is not there is named at start', async () => {
  const config = loadConfig({ ORDERMESH_JWKS: join(directory, 'missing.json') });
  await expect(createAuthenticator({ config, clock, logger })).rejects.toThrow(/ORDERMESH_JWKS.*missing\.json/);
});

test('a revoked token is refused, also one that was accepted before, and one without an id', async () => {
  const key = await signer('EdDSA', 'k1');
  await writeFile(jwksFile, JSON.stringify({ keys: [key.jwk] }));
  const list = join(directory, 'revoked');
  await writeFile(list, '# lost tills\nt-1\n');
  const onChange = vi.fn(() => authenticator.forgetRevoked());
  const revoked = await watchRevokedTokens(list, logger, onChange);
  const keys = await keySet(jwksFile);
  const authenticator = authenticatorWith({ keys, revoked });
  const bearer = async (claims: object) => `Bearer ${await key.sign({ store: 'us-il-0001', ...claims })}`;
  await expect(authenticator.verify(await bearer({ jti: 't-1' }))).rejects.toThrow('revoked');
  await expect(authenticator.verify(await bearer({}))).rejects.toThrow('jti');
  const [kept, lost] = [await bearer({ jti: 't-2' }), await bearer({ jti: 't-3' })];
  const identity = await authenticator.verify(lost);
  await authenticator.verify(kept);
  expect(authenticator.isRevoked(identity)).toBe(false);
  await writeFile(list, 't-1\nt-3\n');
  await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), { timeout: 4_000 });
  expect(authenticator.isRevoked(identity)).toBe(true);
  expect(authenticator.known(lost)).toBeUndefined();
  expect(authenticator.known(kept)).toBeDefined();
  await expect(authenticator.verify(lost)).rejects.toThrow(TokenError);
  await expect(watchRevokedTokens(join(directory, 'none'), logger, onChange)).rejects.toThrow(/REVOKED_TOKENS_FILE/);
  authenticator.close();
});

test('tokens of one store share its rate, each device has its own', async () => {
  const key = await signer('EdDSA', 'k1');
  await writeFile(jwksFile, JSON.stringify({ keys: [key.jwk] }));
  const limits = new RateLimits(3, 2, 1_000, clock.now());
  const keys = await keySet(jwksFile);
  const authenticator = authenticatorWith({ keys, limits });
  const limitOf = async (store: string, sub: string) =>
    (await authenticator.verify(`Bearer ${await key.sign({ store, sub })}`)).limit;
  const [till, renewed] = [await limitOf('us-il-0001', 'till-1'), await limitOf('us-il-0001', 'till-1')];
  const kiosk = await limitOf('us-il-0001', 'kiosk-2');
  const elsewhere = await limitOf('us-ny-0002', 'till-1');
  const now = clock.now();
  expect([till?.take(now), renewed?.take(now), till?.take(now)]).toEqual([0, 0, 500]);
  // A third of the store's rate is left: the refused order took nothing from it.
  expect(kiosk?.take(now)).toBe(0);
  expect(kiosk?.take(now)).toBeGreaterThan(0);
  expect(elsewhere?.take(now)).toBeGreaterThan(0);
  expect((await limitOf('us-ny-0002', 'till-9'))?.take(now)).toBe(0);
  expect(till?.take(now + 1_000)).toBe(0);
});

test('a token that begins up to half a minute in the future is accepted', async () => {
  const key = await signer('EdDSA', 'k1');
  const authenticator = await authenticatorFor(key);
  const from = (s: number) => key.sign({ store: 'us-il-0001', nbf: Math.floor(clock.time / 1_000) + s });
  expect(await authenticator.verify(`Bearer ${await from(2)}`)).toMatchObject({ store: 'us-il-0001' });
  await expect(authenticator.verify(`Bearer ${await from(120)}`)).rejects.toThrow('nbf');
});

test('a key that the URL does not list any more is not trusted; a URL that cannot be read removes no key', async () => {
  const [kept, gone] = [await signer('EdDSA', 'k1'), await signer('EdDSA', 'k2')];
  let answer: { status: number; keys: JWK[] } = { status: 200, keys: [kept.jwk, gone.jwk] };
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.writeHead(answer.status).end(JSON.stringify({ keys: answer.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  const onChange = vi.fn();
  const keys = await keySet(url, { refreshMs: 50, onChange });
  try {
    const authenticator = authenticatorWith({ keys });
    const [ofKept, ofGone] = [`Bearer ${await kept.sign()}`, `Bearer ${await gone.sign()}`];
    const identities = [await authenticator.verify(ofKept), await authenticator.verify(ofGone)] as const;
    answer = { status: 500, keys: [] };
    const before = asked;
    await vi.waitFor(() => expect(asked).toBeGreaterThan(before + 1));
    expect(identities.map((identity) => authenticator.ended(identity))).toEqual([undefined, undefined]);
    answer = { status: 200, keys: [{ ...kept.jwk, use: 'sig' }] };
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
    expect(authenticator.ended(identities[0])).toBeUndefined();
    expect(authenticator.ended(identities[1])).toContain('not trusted');
  } finally {
    keys.close();
    server.close();
  }
});

test('an invalid rule ends the start; later, the list stays as it was', async () => {
  const list = join(directory, 'revoked');
  await writeFile(list, 't-1\nbefore yesterday\n');
  await expect(watchRevokedTokens(list, logger, vi.fn())).rejects.toThrow(/line 2 is "before yesterday"; it takes/);
  await writeFile(list, 't-1\n');
  const onChange = vi.fn();
  const revoked = await watchRevokedTokens(list, logger, onChange);
  await writeFile(list, 'stores us-il-0001\n');
  await writeFile(`${list}.new`, 't-1\nt-2\n');
  expect(revoked.has('t-1')).toBe(true);
  await rename(`${list}.new`, list);
  await vi.waitFor(() => expect(revoked.has('t-2')).toBe(true), { timeout: 4_000 });
  expect(onChange).toHaveBeenCalledOnce();
  revoked.close();
});

test('keys that could not be read since the start are reported, and each token that could not be verified is counted', async () => {
  const server = createServer((_, response) => response.writeHead(503).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  const config = loadConfig({ ORDERMESH_JWKS: url });
  const onOutage = vi.fn();
  const authenticator = await createAuthenticator({ config, clock, logger, onOutage });
  const key = await signer('ES256', 'k1');
  const header = `Bearer ${await key.sign()}`;
  await expect(authenticator.verify(header)).rejects.toThrow('status 503');
  expect(onOutage).toHaveBeenCalledOnce();
  expect(authenticator.readiness?.()).toMatch(/keys that sign tokens have not been read yet: .* status 503/);
  server.removeAllListeners('request');
  server.on('request', (_, response) => response.end(JSON.stringify({ keys: [key.jwk] })));
  await authenticator.verify(header);
  expect([authenticator.readiness?.(), authenticator.trouble?.()]).toEqual([undefined, undefined]);
  authenticator.close?.();
  server.close();
});
