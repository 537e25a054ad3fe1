import uWS from 'uWebSockets.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import type { TicketView } from '../../display/messages.ts';
import { startEdge } from '../../edge/edge.ts';
import { startKitchen } from '../../edge/kitchen/kitchen.ts';
import { SpoolClient } from '../../edge/spool/client.ts';
import { issueToken } from '../../gateway/identity/issuer.ts';
import { TestScreen } from '../display/test-screen.ts';
import { newOrder, storeId } from './order.ts';
import { Agent } from './restaurant.ts';

vi.setConfig({ testTimeout: 90_000 });
const soon = { timeout: 40_000 };

/** A stand-in for a region's gateway and display: each test sets what works. */
let region: { app: uWS.TemplatedApp; url: string; isUp: boolean; tickets: TicketView[]; commands: { type: string }[] };
let directory: string;
let said: string[];
const logger = pino({ base: null }, { write: (line: string) => void said.push(JSON.parse(line).msg) });

beforeEach(async () => {
  said = [];
  directory = mkdtempSync(join(tmpdir(), 'kitchen-'));
  const app = uWS.App();
  region = { app, url: '', isUp: true, tickets: [], commands: [] };
  const answer = (res: uWS.HttpResponse, status: string, body: object) =>
    res.cork(() => res.writeStatus(status).writeHeader('x-ordermesh-region', 'east').end(JSON.stringify(body)));
  app.ws('/live', {
    open(socket) {
      const { tickets, isUp } = region;
      if (!isUp) return socket.end();
      socket.send(
        JSON.stringify({ type: 'snapshot', now: 0, settings: {}, tickets, bumped: [], open: tickets.length }),
      );
    },
    message(socket, text) {
      const { id, ...command } = JSON.parse(Buffer.from(text).toString());
      region.commands.push(command);
      socket.send(JSON.stringify({ type: 'done', id }));
    },
  });
  app.post('/v1/orders/batch', (res) => {
    let body = '';
    res.onAborted(() => {});
    res.onData((part, isLast) => {
      body += Buffer.from(part).toString();
      if (!isLast) return;
      const results = body.split('\n').flatMap((line, index) => {
        if (line === '') return [];
        const problem = { code: 'order-too-large', detail: 'the topic takes 2000 bytes' };
        return { index, orderId: JSON.parse(line).orderId, status: 413, problem };
      });
      if (!region.isUp) res.cork(() => res.writeStatus('502 Bad Gateway').end());
      else if (results.length > 0) answer(res, '207 Multi-Status', { results });
      else answer(res, '400 Bad Request', { code: 'malformed-body', detail: 'the batch is empty' });
    });
  });
  app.get('/v1/orders/:id', (res) => {
    answer(res, '404 Not Found', { code: 'order-unknown', detail: 'no such order' });
  });
  await new Promise<void>((resolve) =>
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket) region.url = `http://127.0.0.1:${uWS.us_socket_local_port(socket)}`;
      resolve();
    }),
  );
});
afterEach(() => {
  region.app.close();
  rmSync(directory, { recursive: true, force: true });
});

const environment = () => ({
  ORDERMESH_DATA_DIR: directory,
  ORDERMESH_GATEWAY_PORT: '0',
  ORDERMESH_ADMIN_PORT: '0',
  ORDERMESH_DISPLAY_PORT: '0',
  ORDERMESH_EDGE_UPSTREAM: region.url,
  ORDERMESH_EDGE_TOKEN_FILE: join(directory, 'token'),
  ORDERMESH_EDGE_BACKOFF_MAX: '300ms',
  ORDERMESH_EDGE_PROBE_INTERVAL: '100ms',
  ORDERMESH_EDGE_DISK_FREE_MIN: '1MiB',
  ORDERMESH_EDGE_KITCHEN: 'cash',
  ORDERMESH_EDGE_KITCHEN_AFTER: '200ms',
  ORDERMESH_EDGE_KITCHEN_UPSTREAM: region.url,
});

test("the region's gateway refuses an order that the kitchen has: the screen and the point of sale are told", async () => {
  region.isUp = false;
  const token = await issueToken({ config: loadConfig({ ORDERMESH_DATA_DIR: directory }), store: storeId });
  writeFileSync(join(directory, 'token'), token);
  const role = await startEdge(loadConfig(environment()), logger);
  const agent = new Agent(role, token);
  const screen = await TestScreen.open(new URL(role.addresses['edge kitchen'] ?? '').origin, storeId);
  const messages: unknown[] = [];
  const sale = new WebSocket(`${agent.url.replace('http', 'ws')}/v1/stream`, ['ordermesh.v1.json', `bearer.${token}`]);
  sale.addEventListener('message', ({ data }) => messages.push(JSON.parse(String(data))));
  await vi.waitFor(() => expect(sale.readyState).toBe(WebSocket.OPEN), soon);
  const { orderId, ...rest } = newOrder();
  await agent.accept([{ orderId, ...rest }]);
  await screen.ticket(orderId, ({ confirmation }) => confirmation === 'waiting');
  region.isUp = true;
  await screen.ticket(orderId, ({ confirmation }) => confirmation === 'refused');
  const detail = expect.stringContaining('order-too-large');
  await vi.waitFor(
    () => expect(messages).toContainEqual({ type: 'order.status', orderId, status: 'rejected', detail }),
    soon,
  );
  sale.close();
  await screen[Symbol.asyncDispose]();
  await role.close();
});

test('commands of the crew that the disk did not take are written, shown and sent to the region later', async () => {
  const orderId = newOrder().orderId;
  region.tickets = [{ orderId, storeId, channel: 'pos', state: 'open', round: 1, since: 0, lines: [] }];
  const path = join(directory, 'spool.db');
  const limits = { unsentOrdersMax: 10, bytesMax: 2 ** 30, diskFreeMin: 0, replayWindowMs: 60_000, deadlineMs: 30_000 };
  const spool = await SpoolClient.open({ path, ...limits });
  const kitchen = await startKitchen({
    config: loadConfig(environment()),
    storeId,
    upstream: region.url,
    spoolPath: path,
    spool,
    statusOf: async () => undefined,
    forwards: () => true,
    logger,
  });
  const screen = await TestScreen.open(new URL(kitchen.address).origin, storeId);
  await screen.ticket(orderId);
  await vi.waitFor(async () => expect((await spool.tickets(0)).entries).toHaveLength(1), soon);
  const other = new DatabaseSync(path);
  other.exec('begin immediate');
  expect(await screen.command('bump', orderId, 1)).toMatchObject({ problem: { code: 'tickets-unavailable' } });
  expect(region.commands).toEqual([]);
  other.exec('rollback');
  other.close();
  await vi.waitFor(() => expect(region.commands).toEqual([{ type: 'bump', orderId, round: 1 }]), soon);
  await screen.ticket(orderId, ({ state }) => state === 'cooked');
  expect(said).toEqual([
    'the board cannot be kept on the disk; trying again',
    expect.stringMatching(/^the board is kept on the disk again after /),
  ]);
  expect((await spool.tickets(0)).entries.map((text) => JSON.parse(text).done)).toEqual([
    { state: 'cooked', round: 1 },
  ]);
  await screen[Symbol.asyncDispose]();
  await kitchen.close();
  await spool.close();
});
