import { afterEach, describe, expect, test } from 'vitest';
import { type AdminServer, startAdminServer } from '../../telemetry/admin-server.ts';

let server: AdminServer | undefined;
let reason: string | undefined;

const start = async (port = 0) => {
  server = await startAdminServer({
    host: '127.0.0.1',
    port,
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
    const [first, second] = [profile('1'), profile('1')];
    expect((await Promise.race([first, second])).status).toBe(409);
    finish();
    expect((await Promise.all([first, second])).map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});
