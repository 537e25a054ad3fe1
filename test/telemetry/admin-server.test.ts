import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Secret } from '../../contracts/config/secret.ts';
import { type AdminServer, startAdminServer } from '../../telemetry/admin-server.ts';

let server: AdminServer | undefined;
let reason: string | undefined;

const start = async (port = 0, token?: Secret) => {
  server = await startAdminServer({
    host: '127.0.0.1',
    port,
    token,
    metrics: async () => ({ contentType: 'text/plain', text: 'ordermesh_up 1\n' }),
    readiness: { kafka: () => reason },
    pages: { '/debug/x': async () => ({ contentType: 'application/json', text: '{}' }) },
  });
  return `http://127.0.0.1:${server.port}`;
};

afterEach(async () => {
  reason = undefined;
  await server?.close();
});

describe('admin server', () => {
  test('serves metrics, health and pages', async () => {
    const url = await start();
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('ordermesh_up 1');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/debug/x`)).headers.get('content-type')).toBe('application/json');
    expect((await fetch(`${url}/nope`)).status).toBe(404);
  });

  test('is alive but not ready while a part is not, and says which', async () => {
    const url = await start();
    reason = 'broker unreachable';
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toBe('kafka: broker unreachable\n');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test('names a port in use and the variable that moves it', async () => {
    await start();
    await expect(start(server?.port)).rejects.toThrow(/in use.*ORDERMESH_ADMIN_PORT/);
  });

  test('with a token it tells a stranger nothing but health', async () => {
    reason = 'broker kafka-1.internal unreachable';
    const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-admin-'));
    const file = path.join(directory, 'token');
    await writeFile(file, 'first-token-of-the-port\n');
    const url = await start(0, { file });
    const ask = async (path: string, authorization = '') => {
      const response = await fetch(`${url}${path}`, { headers: { authorization } });
      return { status: response.status, text: await response.text() };
    };
    const basic = (password: string) => `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`;
    for (const path of ['/metrics', '/debug/x', '/debug/profile?seconds=1', '/', '/nope'])
      for (const wrong of ['', 'Bearer', 'Bearer wrong', basic('wrong'), 'first-token-of-the-port'])
        expect(await ask(path, wrong)).toMatchObject({ status: 401 });
    expect((await fetch(`${url}/metrics`)).headers.get('www-authenticate')).toContain('Bearer');
    expect((await ask('/healthz')).status).toBe(200);
    expect(await ask('/readyz')).toEqual({ status: 503, text: 'not ready; the reasons need the token\n' });
    for (const right of ['Bearer first-token-of-the-port', basic('first-token-of-the-port')]) {
      expect((await ask('/readyz', right)).text).toContain('kafka-1.internal');
      expect((await ask('/metrics', right)).status).toBe(200);
    }
    await writeFile(file, 'second-token-of-the-port');
    expect((await ask('/metrics', 'Bearer first-token-of-the-port')).status).toBe(401);
    expect((await ask('/metrics', 'Bearer second-token-of-the-port')).status).toBe(200);
    await rm(directory, { recursive: true });
    expect(await ask('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    expect((await ask('/readyz')).status).toBe(503);
    reason = undefined;
    expect(await ask('/readyz')).toEqual({ status: 200, text: 'ready\n' });
    expect((await ask('/metrics', 'Bearer second-token-of-the-port')).text).toContain('ORDERMESH_ADMIN_TOKEN_FILE');
  });

  test('takes one profile at a time', async () => {
    let finish = () => {};
    const taken = new Promise<void>((resolve) => {
      finish = resolve;
    });
    server = await startAdminServer({
      host: '127.0.0.1',
      port: 0,
      metrics: async () => ({ contentType: 'text/plain', text: '' }),
      readiness: {},
      profile: async () => {
        await taken;
        return [];
      },
    });
    const profile = (seconds: string) => fetch(`http://127.0.0.1:${server?.port}/debug/profile?seconds=${seconds}`);
    for (const seconds of ['0', '61', 'soon']) {
      const refused = await profile(seconds);
      expect(refused.status).toBe(400);
      expect(await refused.text()).toContain('seconds');
    }
    expect(await (await profile('1&kind=coffee')).text()).toBe('kind: one of cpu, heap\n');
    const [first, second] = [profile('1'), profile('1')];
    expect((await Promise.race([first, second])).status).toBe(409);
    finish();
    expect((await Promise.all([first, second])).map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});
