import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { createAuthenticator } from '../../gateway/identity/authenticator.ts';
import type { Authenticator } from '../../gateway/identity/identity.ts';
import { certificate } from '../../stack/certificates.ts';
import { tlsFiles } from '../../telemetry/files/tls.ts';
import { watchTls } from '../../telemetry/files/tls-watch.ts';

const soon = { timeout: 20_000, interval: 100 };
const DAY_MS = 24 * 3_600_000;
const [kept, withdrawn, later] = ['kept', 'withdrawn', 'later'].map((name) => certificate(name)) as [
  ReturnType<typeof certificate>,
  ReturnType<typeof certificate>,
  ReturnType<typeof certificate>,
];
const till = (by: typeof kept) => certificate('till', { by, uris: ['urn:ordermesh:store:us-il-0001'] }).cert;

let directory: string;
const path = (name: string) => join(directory, name);
function put(name: string, text: string): void {
  writeFileSync(path('new'), text);
  renameSync(path('new'), path(name));
}
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ordermesh-tls-'));
  const own = certificate('gateway', { by: kept, for: 'server', days: 30 });
  put('cert.pem', own.cert);
  put('key.pem', own.key);
  put('ca.pem', kept.cert + withdrawn.cert);
});
afterEach(() => rmSync(directory, { recursive: true }));

async function watch(onChange = () => {}, beforeWatch = () => {}) {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => lines.push(line) });
  const config = loadConfig({
    ORDERMESH_DATA_DIR: directory,
    TLS_CERT_FILE: path('cert.pem'),
    TLS_KEY_FILE: path('key.pem'),
    TLS_CLIENT_CA_FILE: path('ca.pem'),
  });
  const files = tlsFiles(config);
  if (files === undefined) throw new Error('no TLS');
  let authenticator: Authenticator | undefined;
  beforeWatch();
  const tls = await watchTls(files, logger, () => {
    onChange();
    authenticator?.forgetRevoked?.();
  });
  authenticator = await createAuthenticator({ config, clock: Date, logger, authorities: tls.authorities });
  const registry = new Registry();
  tls.register(registry, 'gateway');
  const made = authenticator;
  return {
    tls,
    authenticator: made,
    identify: (cert: string) => made.certified?.(cert),
    logged: (part: string) => lines.filter((line) => line.includes(part)).length,
    gauge: async (name: string) => (await registry.getSingleMetric(name)?.get())?.values[0]?.value,
    [Symbol.dispose]() {
      tls.close();
      made.close?.();
    },
  };
}

test('certificates of an authority that is taken out of the file are refused, and their connections end, without a restart', async () => {
  using gateway = await watch();
  const { authenticator, identify } = gateway;
  const [good, gone] = [till(kept), till(withdrawn)];
  const identities = [good, gone].map((cert) => identify(cert));
  put('ca.pem', kept.cert + later.cert);
  await vi.waitFor(() => expect(() => identify(gone)).toThrow(/authority .* not trusted any more/), soon);
  expect(identify(good)).toMatchObject({ store: 'us-il-0001' });
  const ended = identities.map((identity) => identity && authenticator.ended?.(identity));
  expect(ended).toEqual([undefined, expect.stringMatching(/authority/)]);
  // An intermediate authority that is not in the file may belong to the withdrawn authority.
  const intermediate = certificate('intermediate', { by: kept });
  expect(() => identify(till(intermediate))).toThrow(/authority/);
  put('ca.pem', kept.cert + withdrawn.cert);
  await vi.waitFor(() => expect(identify(gone)).toMatchObject({ store: 'us-il-0001' }), soon);
});

test('an authority is withdrawn even while certificate and key do not fit each other, and the log names it', async () => {
  using gateway = await watch();
  const { identify } = gateway;
  const gone = till(withdrawn);
  identify(gone);
  put('cert.pem', certificate('gateway', { by: kept, for: 'server' }).cert);
  put('ca.pem', kept.cert);
  await vi.waitFor(() => expect(() => identify(gone)).toThrow(/authority .* not trusted any more/), soon);
  await vi.waitFor(() => expect(gateway.tls.trouble(Date.now())).toMatch(/the files of TLS cannot be read/), soon);
  expect(gateway.logged('"withdrawn":["CN=withdrawn"]')).toBe(1);
});

test('an authority that is withdrawn between the first read and the watch does not count as a change', async () => {
  const changes = vi.fn();
  using gateway = await watch(changes, () => put('ca.pem', kept.cert));
  expect(() => gateway.identify(till(withdrawn))).toThrow(/authority .* not trusted any more/);
  expect(changes).not.toHaveBeenCalled();
});

test('an authority that is renewed with the same key is not withdrawn', async () => {
  using gateway = await watch();
  const { identify, tls } = gateway;
  put('ca.pem', certificate('kept', { keys: kept.keys, days: 90 }).cert + withdrawn.cert);
  await vi.waitFor(() => expect(tls.trouble(Date.now())).toMatch(/have changed/), soon);
  expect(identify(till(kept))).toMatchObject({ store: 'us-il-0001' });
  expect(gateway.logged('the authorities of client certificates have changed')).toBe(0);
});

test('a file of authorities that cannot be read is reported, since a withdrawn authority would still be trusted', async () => {
  using gateway = await watch();
  expect(gateway.tls.authoritiesUnread()).toBeUndefined();
  put('ca.pem', 'no certificate');
  const reason = /authorities of client certificates cannot be read: there is no certificate in it/;
  await vi.waitFor(() => expect(gateway.tls.authoritiesUnread()).toMatch(reason), soon);
  expect(gateway.tls.trouble(Date.now())).toMatch(reason);
});

test('files that differ from the served files, and a certificate that expires, are reported', async () => {
  using gateway = await watch();
  const { tls } = gateway;
  const now = Date.now();
  expect(tls.trouble(now)).toBeUndefined();
  expect(await gateway.gauge('ordermesh_gateway_tls_files_changed')).toBe(0);
  const expires = 1_000 * Number(await gateway.gauge('ordermesh_gateway_tls_certificate_expires_timestamp_seconds'));
  expect(Math.abs(expires - now - 30 * DAY_MS)).toBeLessThan(DAY_MS);
  const renewed = certificate('gateway', { by: kept, for: 'server', days: 90 });
  // Between the two writes they do not fit each other.
  put('cert.pem', renewed.cert);
  await vi.waitFor(() => expect(tls.trouble(now)).toMatch(/the files of TLS cannot be read/), soon);
  put('key.pem', renewed.key);
  await vi.waitFor(
    () => expect(tls.trouble(now)).toMatch(/have changed, and new connections do not get them yet/),
    soon,
  );
  tls.trouble(now);
  expect(gateway.logged('the files of TLS have changed')).toBe(1);
  expect(await gateway.gauge('ordermesh_gateway_tls_files_changed')).toBe(1);
  tls.trouble(now + 25 * DAY_MS);
  tls.trouble(now + 26 * DAY_MS);
  expect(gateway.logged('the certificate of TLS_CERT_FILE expires at')).toBe(1);
});
