import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { alternativeNames, ClientCertificates } from '../../gateway/identity/client-certificates.ts';
import { TokenError } from '../../gateway/identity/identity.ts';
import { RateLimits } from '../../gateway/identity/rate-limit.ts';
import { certificate } from '../../stack/certificates.ts';

const authority = certificate('authority');
const till = (name = 'till-1') => certificate(name, { by: authority, uris: ['urn:ordermesh:store:us-il-0001'] });

test('an identity ends with its certificate, also on an open connection', () => {
  const clock = { time: Date.now(), now: () => clock.time };
  const certificates = new ClientCertificates({ identitiesMax: 10, clock });
  const { cert } = till();
  const identity = certificates.identify(cert);
  expect(identity).toMatchObject({ store: 'us-il-0001', tokenId: new X509Certificate(cert).fingerprint256 });
  expect(certificates.identify(cert)).toBe(identity);
  clock.time = identity.expiresAt;
  expect(() => certificates.identify(cert)).toThrow(/expired/);
});

test('a revoked certificate is refused by its fingerprint, also when it was accepted before; DER is the same as PEM', () => {
  const list = new Set<string>();
  const revoked = { has: (id: string) => list.has(id), close() {} };
  const certificates = new ClientCertificates({ identitiesMax: 10, clock: Date, revoked });
  const [lost, kept] = [till(), till()];
  const der = new X509Certificate(lost.cert).raw;
  expect(certificates.identify(der)).toEqual(certificates.identify(lost.cert));
  list.add(new X509Certificate(lost.cert).fingerprint256);
  certificates.forgetRevoked();
  for (const form of [lost.cert, der]) expect(() => certificates.identify(form)).toThrow(TokenError);
  expect(certificates.identify(kept.cert).store).toBe('us-il-0001');
});

test('a device keeps its rate when its certificate is renewed, and shares that of its store', () => {
  const limits = new RateLimits(3, 2, 1_000, 0);
  const certificates = new ClientCertificates({ identitiesMax: 10, clock: Date, limits });
  const [first, renewed, kiosk] = [till(), till(), till('kiosk')].map(({ cert }) => certificates.identify(cert).limit);
  const now = Date.now();
  expect([first?.take(now), renewed?.take(now)]).toEqual([0, 0]);
  expect(renewed?.take(now)).toBeGreaterThan(0);
  expect(kiosk?.take(now)).toBe(0);
  expect(kiosk?.take(now)).toBeGreaterThan(0);
});

test('alternative names are split as Node writes them, and other forms are refused', () => {
  expect(alternativeNames('URI:urn:a, DNS:b, IP Address:127.0.0.1, URI:"c, URI:d"')).toEqual([
    { type: 'URI', value: 'urn:a' },
    { type: 'DNS', value: 'b' },
    { type: 'IP Address', value: '127.0.0.1' },
    { type: 'URI', value: 'c, URI:d' },
  ]);
  expect(alternativeNames('')).toEqual([]);
  for (const text of ['x', 'URI:a"b', 'URI:a,URI:b', 'URI:"a', ', URI:a'])
    expect(() => alternativeNames(text)).toThrow(TokenError);
});
