import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { certificate } from '../../stack/certificates.ts';
import { PromptIntake } from './prompt-intake.ts';
import { startServerOn, type TestServer } from './support.ts';

const soon = { timeout: 20_000, interval: 100 };
const authority = certificate('authority');
const later = certificate('later authority');

let directory: string;
let gateway: TestServer;

function put(name: string, text: string): string {
  writeFileSync(join(directory, 'new'), text);
  renameSync(join(directory, 'new'), join(directory, name));
  return join(directory, name);
}

function putPair(name: string): void {
  const { cert, key } = certificate(name, { by: authority, for: 'server', days: 30 });
  put('cert.pem', cert);
  put('key.pem', key);
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ordermesh-renewal-'));
  putPair('first');
  gateway = await startServerOn(new PromptIntake(), {
    TLS_CERT_FILE: join(directory, 'cert.pem'),
    TLS_KEY_FILE: join(directory, 'key.pem'),
    TLS_CLIENT_CA_FILE: put('ca.pem', authority.cert),
  });
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** A connection after its handshake. */
function dial(url: string): Promise<TLSSocket> {
  const { port } = new URL(url.replace('grpcs', 'https'));
  return new Promise((resolve, reject) => {
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      ca: authority.cert,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

async function served(url: string): Promise<string> {
  const socket = await dial(url);
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return String(name);
}

/** Status of a request with a client certificate. */
function asTill(by: typeof authority): Promise<number> {
  const { cert, key } = certificate('till', { by, uris: ['urn:ordermesh:store:us-il-0001'] });
  return new Promise((resolve, reject) => {
    const sent = request(
      `${gateway.url}/v1/orders/0192f1c2-7c1a-7cc0-8000-000000000001`,
      { ca: authority.cert, cert, key, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    sent.once('error', reject);
    sent.end();
  });
}

test('a new certificate is served to new connections, and open ones go on', async () => {
  const grpc = gateway.role.addresses.grpc ?? '';
  expect([await served(gateway.url), await served(grpc)]).toEqual(['first', 'first']);
  const open = await dial(gateway.url);
  putPair('second');
  await vi.waitFor(
    async () => expect([await served(gateway.url), await served(grpc)]).toEqual(['second', 'second']),
    soon,
  );
  const answer = new Promise((resolve) => open.once('data', (bytes) => resolve(String(bytes).split('\r\n')[0])));
  open.write('GET /openapi.json HTTP/1.1\r\nHost: gateway\r\n\r\n');
  expect(await answer).toBe('HTTP/1.1 200 OK');
  // Every later connection too: nothing still listens with the old one.
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => served(gateway.url))))).toEqual(
    new Set(['second']),
  );
  open.destroy();
  expect(await (await fetch(`${gateway.admin}/readyz`)).text()).not.toContain('tls');
}, 60_000);

test('a pair that does not fit is not served, and /readyz says so until it is mended', async () => {
  put('key.pem', certificate('other', { by: authority, for: 'server' }).key);
  const ready = async () => (await fetch(`${gateway.admin}/readyz`)).text();
  await vi.waitFor(async () => expect(await ready()).toMatch(/tls: the files of TLS cannot be read/), soon);
  expect(await served(gateway.url)).toBe('first');
  putPair('third');
  await vi.waitFor(async () => expect(await served(gateway.url)).toBe('third'), soon);
  await vi.waitFor(async () => expect(await ready()).not.toContain('tls'), soon);
}, 60_000);

test('a new authority of client certificates counts without a restart', async () => {
  const before = await asTill(authority);
  await expect(asTill(later)).rejects.toThrow();
  put('ca.pem', authority.cert + later.cert);
  await vi.waitFor(async () => expect(await asTill(later)).toBe(before), soon);
}, 60_000);
