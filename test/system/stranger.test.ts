import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { functionServer } from '../../bridge/loyalty/loyalty-function.ts';
import { guardPushes } from '../../bridge/loyalty/push-guard.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { roles } from '../../contracts/roles.ts';
import { loadPageFiles } from '../../display/page-files.ts';
import { startPageServer } from '../../display/page-server.ts';
import { ScreenDoor } from '../../display/pairing/door.ts';
import { ScreenFile } from '../../edge/kitchen/screen-file.ts';
import { startIntakeServer } from '../../gateway/server.ts';
import { openAdminPort } from '../../telemetry/admin-port.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { PromptIntake } from '../gateway/prompt-intake.ts';
import { sampleOrder, startServerOn, testServer } from '../gateway/support.ts';
import { whatAStrangerGets } from './stranger.ts';

const logger = createLogger('test', 'silent');
const beyondLoopback = {
  ORDERMESH_HOST: '0.0.0.0',
  ORDERMESH_ADMIN_HOST: '0.0.0.0',
  ORDERMESH_ADMIN_PORT: '0',
  ORDERMESH_ADMIN_TOKEN: 'a-token-that-no-stranger-has',
  ORDERMESH_ALLOW_SIMULATION: 'on',
};

const rolesBehind = roles.filter((role) => role !== 'gateway');
const listening: Server[] = [];
const closers: (() => Promise<void>)[] = [];

async function listen(server: Server): Promise<number> {
  listening.push(server);
  await once(server.listen(0, '0.0.0.0'), 'listening');
  return (server.address() as AddressInfo).port;
}

const portOf = (address = '') => Number(new URL(address.replace(/^grpc/, 'http')).port);

test('beyond loopback a stranger gets health, public documents, and a page that asks for its admission', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-stranger-'));
  await using gateway = await startServerOn(new PromptIntake(), beyondLoopback);
  const screens = new ScreenFile(path.join(directory, 'screens.db'), 'us-il-0001');
  const door = new ScreenDoor({ register: screens, logger, onRemoved() {} });
  const opened: string[] = [];
  const display = await startPageServer({
    host: '0.0.0.0',
    port: 0,
    files: await loadPageFiles(),
    door,
    onOpen: ({ storeId }) => opened.push(storeId ?? 'chain'),
    onMessage() {},
    onClose() {},
    onRefused() {},
  });
  const admins = await Promise.all(
    rolesBehind.map(async (role) => {
      const port = await openAdminPort(role, loadConfig(beyondLoopback), {
        metrics: async () => 'ordermesh_secret_figure 7\n',
        readiness: { database: () => 'db-7.internal does not answer' },
        pages: { '/debug/runtime': async () => ({ contentType: 'text/plain', text: 'orders of guests' }) },
      });
      closers.push(() => port.close());
      return [role, portOf(port.url)] as const;
    }),
  );
  const certificates = await listen(createServer((_request, response) => response.end('{}')));
  const pushed: string[] = [];
  const loyalty = functionServer({
    pool: { call: () => Promise.reject(new Error('a stranger got to the ledger')) } as never,
    unitsPerPoint: 100,
    onOutcome: (outcome) => pushed.push(outcome),
    onFailure: (reason) => pushed.push(reason),
  });
  guardPushes(loyalty, {
    serviceAccount: 'push@project.iam.gserviceaccount.com',
    audience: 'https://loyalty.example/',
    registry: new Registry(),
    logger,
    issuer: { issuers: ['https://accounts.google.com'], certificatesUrl: `http://127.0.0.1:${certificates}/` },
  });
  try {
    expect(
      await whatAStrangerGets({
        intake: [portOf(gateway.url)],
        grpc: portOf(gateway.role.addresses.grpc),
        displays: [display.port],
        loyalty: await listen(loyalty),
        admin: { gateway: portOf(gateway.admin), ...Object.fromEntries(admins) },
      }),
    ).toEqual([]);
    expect([opened, pushed]).toEqual([[], []]);
  } finally {
    display.close();
    for (const each of listening.splice(0)) each.close();
    for (const close of closers.splice(0)) await close();
    await door.close();
    await rm(directory, { recursive: true });
  }
}, 120_000);

test('whatever a gateway refuses, its log at debug level has no token', async () => {
  const lines: string[] = [];
  const told = pino({ level: 'debug' }, { write: (line) => lines.push(line) });
  await using gateway = await testServer(beyondLoopback, (config) =>
    startIntakeServer({ config, logger: told, role: 'gateway', intake: new PromptIntake() }),
  );
  const text = JSON.stringify(sampleOrder({ payment: { method: 'card', token: 'tok_secret_of_a_guest' } }));
  const post = async (body: string, authorization?: string) =>
    (await gateway.call('/v1/orders', { method: 'POST', body, headers: authorization ? { authorization } : {} }))
      .status;
  expect(await post(text)).toBe(202);
  expect(await post(text.slice(0, -2))).toBe(400);
  // Node's error for this text quotes the token.
  expect(await post(text.replace('"tok_secret_of_a_guest"', 'tok_secret_of_a_guest'))).toBe(400);
  expect(await post(text.replace('"storeId"', '"store"'))).toBe(422);
  const token = await gateway.bearer();
  expect(await post(text, `${token}x`)).toBe(401);
  expect(await post(text, `Bearer ${'tok_'.padEnd(40, 'y')}`)).toBe(401);
  const log = lines.join('');
  // The refusals are in it; a log that is silent would have no token either.
  expect(log).toMatch(/401/);
  for (const secret of [/tok_/, /eyJ[\w-]{8,}\.[\w-]{8,}\./, /a-token-that-no-stranger-has/])
    expect(lines.filter((line) => secret.test(line))).toEqual([]);
}, 60_000);
