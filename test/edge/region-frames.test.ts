import uWS from 'uWebSockets.js';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServerMessage } from '../../display/messages.ts';
import { RegionDisplay } from '../../edge/kitchen/region-display.ts';
import { frameCounts } from '../../edge/region-frames.ts';
import { StatusRelay } from '../../edge/status-relay.ts';
import type { Stream } from '../../gateway/websocket/stream.ts';

vi.setConfig({ testTimeout: 40_000 });
const soon = { timeout: 20_000 };
/** Frames that a captive portal, a proxy or a newer region may send. The last two have a known type without its fields. */
const badFrames = ['<html>', 'null', '7', '{}', '{"type":"tickets"}'];

let app: uWS.TemplatedApp;
let url: string;
let connections: uWS.WebSocket<unknown>[];
let said: string[];
const logger = pino({ base: null }, { write: (line: string) => void said.push(JSON.parse(line).msg) });

beforeEach(async () => {
  connections = [];
  said = [];
  app = uWS.App().ws('/*', { open: (socket) => void connections.push(socket) });
  await new Promise<void>((resolve) =>
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket) url = `http://127.0.0.1:${uWS.us_socket_local_port(socket)}`;
      resolve();
    }),
  );
});
afterEach(() => void app.close());

async function connection(number: number): Promise<uWS.WebSocket<unknown>> {
  await vi.waitFor(() => expect(connections).toHaveLength(number), soon);
  return connections[number - 1] as uWS.WebSocket<unknown>;
}

test('after an invalid frame of the region’s display the agent counts and logs it once, and connects again', async () => {
  const heard: ServerMessage[] = [];
  const display = new RegionDisplay({
    url,
    storeId: 'us-il-0001',
    logger,
    onMessage(message) {
      if (message.type === 'tickets') heard.push(...message.tickets.map(() => message));
    },
    onDown: () => {},
  });
  const before = frameCounts.bad;
  for (const [index, frame] of badFrames.entries()) (await connection(index + 1)).send(frame);
  const last = await connection(badFrames.length + 1);
  last.send(JSON.stringify({ type: 'tickets', now: 0, tickets: [{}] }));
  await vi.waitFor(() => expect(heard).toHaveLength(1), soon);
  expect(frameCounts.bad - before).toBe(badFrames.length);
  expect(said).toEqual([
    "the region's kitchen display sends an invalid message; connecting again",
    expect.stringMatching(/^the region's kitchen display sends messages again after /),
  ]);
  display.close();
});

test('a display that cannot be reached is logged once, and so is the end of that', async () => {
  app.close();
  const port = Number(new URL(url).port);
  const display = new RegionDisplay({ url, storeId: 'us-il-0001', logger, onMessage: () => {}, onDown: () => {} });
  await vi.waitFor(() => expect(said).toEqual(["the region's kitchen display is not seen; trying again"]), soon);
  app = uWS.App().ws('/*', { open: (socket) => void connections.push(socket) });
  await new Promise<void>((resolve) => app.listen('127.0.0.1', port, () => resolve()));
  (await connection(1)).send(JSON.stringify({ type: 'beat', now: 0, open: 0, database: 'up' }));
  await vi.waitFor(() => expect(said.at(-1)).toMatch(/^the region's kitchen display is seen again after /), soon);
  expect(said).toHaveLength(2);
  display.close();
});

test('after an invalid frame of the region’s status stream the relay does the same', async () => {
  const pushed: unknown[] = [];
  const stream = { push: (message: unknown) => void pushed.push(message) } as unknown as Stream;
  const relay = new StatusRelay({ upstream: url, token: async () => 'token', streams: new Set([stream]), logger });
  relay.opened();
  const frames = badFrames.slice(0, 4);
  const before = frameCounts.bad;
  for (const [index, frame] of frames.entries()) (await connection(index + 1)).send(frame);
  const status = { type: 'order.status', orderId: 'a', status: 'paid' };
  (await connection(frames.length + 1)).send(JSON.stringify(status));
  await vi.waitFor(() => expect(pushed).toEqual([status]), soon);
  expect(frameCounts.bad - before).toBe(frames.length);
  relay.close();
});

test('a relay that was closed while its token was read opens no connection', async () => {
  const token = Promise.withResolvers<string>();
  const stream = { push: () => {} } as unknown as Stream;
  const relay = new StatusRelay({ upstream: url, token: () => token.promise, streams: new Set([stream]), logger });
  relay.opened();
  relay.close();
  token.resolve('token');
  // This connection is made after the relay's, so the relay made none before it arrived.
  const other = new WebSocket(url.replace('http', 'ws'));
  await connection(1);
  other.close();
  expect(connections).toHaveLength(1);
});

const relayOf = (streams: Set<Stream>, options: { askMs?: number } = {}) =>
  new StatusRelay({ upstream: url, token: async () => 'token', streams, logger, ...options });
const listener = () => new Set([{ push: () => {} } as unknown as Stream]);
const lost = 'status updates are not passed on; trying again';

test('a relay whose token has ended logs that once, and waits longer before each attempt', async () => {
  const accepted: number[] = [];
  app.ws('/v1/stream', {
    open(socket) {
      accepted.push(performance.now());
      // As a gateway does that checks the token after it has accepted the connection.
      if (accepted.length % 2 === 0)
        socket.send(JSON.stringify({ type: 'error', problem: { code: 'unauthenticated', detail: 'expired' } }));
      socket.end(4401, 'the token is expired');
    },
  });
  const relay = relayOf(listener());
  relay.opened();
  await vi.waitFor(() => expect(accepted).toHaveLength(5), soon);
  relay.close();
  // Half of each wait is certain: 125, 250, 500 and 1,000 ms.
  expect((accepted[4] ?? 0) - (accepted[0] ?? 0)).toBeGreaterThanOrEqual(1_800);
  expect(said).toEqual([lost]);
});

test('a relay that cannot connect says so once, and that it passes statuses on again', async () => {
  app.close();
  const port = Number(new URL(url).port);
  const relay = relayOf(listener());
  relay.opened();
  await vi.waitFor(() => expect(said).toEqual([lost]), soon);
  app = uWS.App().ws('/*', { open: (socket) => void connections.push(socket) });
  await new Promise<void>((resolve) => app.listen('127.0.0.1', port, () => resolve()));
  (await connection(1)).send(JSON.stringify({ type: 'order.status', orderId: 'a', status: 'paid' }));
  await vi.waitFor(() => expect(said.at(-1)).toMatch(/^status updates are passed on again after /), soon);
  expect(said).toHaveLength(2);
  relay.close();
});

test('a relay gives up a connection on which the region answers nothing, and keeps one on which it does', async () => {
  const questions: uWS.WebSocket<unknown>[] = [];
  app.ws('/v1/stream', {
    open: (socket) => void connections.push(socket),
    message(socket, text) {
      expect(Buffer.from(text).toString()).toBe('{}');
      questions.push(socket);
      // The first connection is dead without a close.
      if (socket !== connections[0])
        socket.send(JSON.stringify({ type: 'error', problem: { code: 'malformed-request', detail: 'no submit' } }));
    },
  });
  const relay = relayOf(listener(), { askMs: 500 });
  relay.opened();
  await connection(2);
  await vi.waitFor(
    () => expect(questions.filter((socket) => socket === connections[1]).length).toBeGreaterThan(3),
    soon,
  );
  expect(connections).toHaveLength(2);
  expect(said).toEqual([lost, expect.stringMatching(/^status updates are passed on again after /)]);
  relay.close();
});
