import { Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { adminHeaders } from '../../contracts/config/admin.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { assertSimulationAllowed } from '../../contracts/config/simulation.ts';
import { openAdminPort } from '../../telemetry/admin-port.ts';
import { runningRole } from '../../telemetry/running-role.ts';

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

test('the admin port shows a registry or a text, at an address that a person can open', async () => {
  const config = loadConfig({ ORDERMESH_ADMIN_HOST: '::1', ORDERMESH_ADMIN_PORT: '0' });
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

const token = 'sixteen-or-more-characters';
const open = { ORDERMESH_ADMIN_HOST: '0.0.0.0', ORDERMESH_ADMIN_PORT: '0' };
const nothing = { metrics: async () => '', readiness: {} };

test('beyond loopback the admin port opens with a token only', async () => {
  await expect(openAdminPort('display', loadConfig(open), nothing)).rejects.toThrow(
    /ORDERMESH_ADMIN_TOKEN is not set.*0\.0\.0\.0/,
  );
  await using locked = await openAdminPort('display', loadConfig({ ...open, ORDERMESH_ADMIN_TOKEN: token }), nothing);
  expect((await fetch(`${locked.url}/metrics`)).status).toBe(401);
  expect(() => loadConfig({ ORDERMESH_ADMIN_TOKEN: 'too-short' })).toThrow(/ORDERMESH_ADMIN_TOKEN.*16/);
});

test('what is simulated beyond loopback is refused, or said everywhere', async () => {
  const payment = { ...open, ORDERMESH_ADMIN_TOKEN: token };
  await expect(openAdminPort('payment', loadConfig(payment), nothing)).rejects.toThrow(
    /payments are simulated.*ORDERMESH_ALLOW_SIMULATION/,
  );
  const allowed = loadConfig({ ...payment, ORDERMESH_ALLOW_SIMULATION: 'on' });
  await using admin = await openAdminPort('payment', allowed, nothing);
  const answer = (path: string) =>
    fetch(`${admin.url}${path}`, { headers: adminHeaders(allowed) }).then((response) => response.text());
  expect(await answer('/readyz')).toMatch(/^ready\npayment-provider: payments are simulated/);
  expect(await answer('/metrics')).toContain('ordermesh_simulation{role="payment",part="payment-provider"} 1');
});

test.each([
  ['gateway', {}, /development issuer.*ORDERMESH_JWKS/],
  ['edge', {}, /development issuer.*ORDERMESH_JWKS/],
  ['gateway', { ORDERMESH_JWKS: '/keys.json' }, undefined],
  ['payment', {}, /payments are simulated/],
  ['loyalty', {}, /push.*ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT/],
  ['loyalty', { ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT: 'a@b.example' }, undefined],
  ['kitchen', {}, undefined],
] as const)('beyond loopback, %s with %j', (role, env, refusal) => {
  const assert = (host: string) => () => assertSimulationAllowed(role, loadConfig({ ...env, ORDERMESH_HOST: host }));
  expect(assert('127.0.0.1')).not.toThrow();
  if (refusal === undefined) expect(assert('10.0.0.7')).not.toThrow();
  else expect(assert('10.0.0.7')).toThrow(refusal);
});

test('a role closes what it has started once, the last started first', async () => {
  const closed: string[] = [];
  const started = new AsyncDisposableStack();
  for (const name of ['first', 'second']) started.defer(() => void closed.push(name));
  const role = runningRole({ admin: 'http://127.0.0.1:9464' }, started);
  await Promise.all([role.close(), role.close()]);
  expect(closed).toEqual(['second', 'first']);
});
