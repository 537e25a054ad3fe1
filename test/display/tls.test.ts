import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { loadPageFiles } from '../../display/page-files.ts';
import { type PageServer, startPageServer } from '../../display/page-server.ts';
import { ScreenDoor } from '../../display/pairing/door.ts';
import { ScreenFile } from '../../edge/kitchen/screen-file.ts';
import { certificate } from '../../stack/certificates.ts';
import { tlsFiles } from '../../telemetry/files/tls.ts';
import { type TlsWatch, watchTls } from '../../telemetry/files/tls-watch.ts';
import { createLogger } from '../../telemetry/logger.ts';

const soon = { timeout: 20_000, interval: 100 };
const logger = createLogger('test', 'silent');
const authority = certificate('authority');

let directory: string;
let door: ScreenDoor;
let tls: TlsWatch | undefined;
let display: PageServer;

function put(name: string, text: string): void {
  writeFileSync(join(directory, 'new'), text);
  renameSync(join(directory, 'new'), join(directory, name));
}

function putPair(name: string): void {
  const { cert, key } = certificate(name, { by: authority, for: 'server', days: 30 });
  put('cert.pem', cert);
  put('key.pem', key);
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ordermesh-display-tls-'));
  putPair('first');
  const files = tlsFiles(
    loadConfig({ TLS_CERT_FILE: join(directory, 'cert.pem'), TLS_KEY_FILE: join(directory, 'key.pem') }),
  );
  const register = new ScreenFile(join(directory, 'screens.db'), 'us-il-0001');
  door = new ScreenDoor({ register, logger, onRemoved() {} });
  display = await startPageServer({
    host: '127.0.0.1',
    port: 0,
    files: await loadPageFiles(),
    tls: files,
    door,
    onOpen() {},
    onMessage() {},
    onClose() {},
    onRefused() {},
  });
  tls = files && (await watchTls(files, logger, () => {}));
  tls?.renewBy((changed) => display.renew(changed));
});
afterEach(async () => {
  tls?.close();
  display.close();
  await door.close();
  rmSync(directory, { recursive: true });
});

/** A connection after its handshake. */
function dial(): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: display.port, host: '127.0.0.1', ca: authority.cert });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

async function served(): Promise<string> {
  const socket = await dial();
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return String(name);
}

async function firstLine(socket: TLSSocket, request: string): Promise<string | undefined> {
  const answer = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(String(bytes))));
  socket.write(`${request}\r\nHost: localhost\r\n\r\n`);
  return (await answer).split('\r\n')[0];
}

test('a renewed certificate is served to new connections, and open ones go on', async () => {
  expect(await served()).toBe('first');
  const open = await dial();
  putPair('second');
  await vi.waitFor(async () => expect(await served()).toBe('second'), soon);
  expect(new Set(await Promise.all(Array.from({ length: 20 }, served)))).toEqual(new Set(['second']));
  expect(await firstLine(open, 'GET / HTTP/1.1')).toBe('HTTP/1.1 200 OK');
  open.destroy();
  // The routes of the app that took over are those of the first.
  expect(await firstLine(await dial(), 'GET /stores/us-il-0001 HTTP/1.1')).toBe('HTTP/1.1 200 OK');
}, 60_000);

test('a pair that does not fit is not served, and is told until it is mended', async () => {
  put('key.pem', certificate('other', { by: authority, for: 'server' }).key);
  await vi.waitFor(() => expect(tls?.trouble(Date.now())).toMatch(/the files of TLS cannot be read/), soon);
  expect(await served()).toBe('first');
  putPair('third');
  await vi.waitFor(async () => expect(await served()).toBe('third'), soon);
  await vi.waitFor(() => expect(tls?.trouble(Date.now())).toBeUndefined(), soon);
}, 60_000);

test('the cookie of a screen is sent back over HTTPS only, and plain HTTP gets nothing', async () => {
  const url = `https://127.0.0.1:${display.port}/v1/screens/pairing`;
  const cookie = await new Promise<string>((resolve, reject) => {
    const asked = get(url, { method: 'POST', ca: authority.cert, agent: false }, (response) => {
      response.resume();
      resolve(String(response.headers['set-cookie']));
    });
    asked.once('error', reject);
    asked.end();
  });
  expect(cookie).toMatch(/^ordermesh_screen_\d+=omscr_[\w-]+; .*; Secure$/);
  await expect(fetch(url.replace('https', 'http'))).rejects.toThrow();
}, 60_000);
