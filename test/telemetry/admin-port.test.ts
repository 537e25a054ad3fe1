import { Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { openAdminPort } from '../../telemetry/admin-port.ts';
import { runningRole } from '../../telemetry/running-role.ts';

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

test('the admin port shows a registry or a text, at an address that a person can open', async () => {
  const config = loadConfig({ ORDERMESH_HOST: '::1', ORDERMESH_ADMIN_PORT: '0' });
  const registry = new Registry();
  new Gauge({ name: 'made_up', help: 'Of this test.', registers: [registry] }).set(7);
  await using ofRegistry = await openAdminPort('display', config, { metrics: registry, readiness: {} });
  expect(ofRegistry.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect(await textOf(`${ofRegistry.url}/metrics`)).toContain('made_up 7');
  await using ofText = await openAdminPort('kitchen', config, {
    metrics: async () => 'several 2\n',
    readiness: { part: () => 'not yet' },
  });
  expect(await textOf(`${ofText.url}/metrics`)).toBe('several 2\n');
  expect(await textOf(`${ofText.url}/readyz`)).toBe('part: not yet\n');
});

test('a role closes what it has started once, the last started first', async () => {
  const closed: string[] = [];
  const started = new AsyncDisposableStack();
  for (const name of ['first', 'second']) started.defer(() => void closed.push(name));
  const role = runningRole({ admin: 'http://127.0.0.1:9464' }, started);
  await Promise.all([role.close(), role.close()]);
  expect(closed).toEqual(['second', 'first']);
});
