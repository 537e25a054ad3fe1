import uWS from 'uWebSockets.js';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ServerMessage } from '../../display/messages.ts';
import { RegionDisplay } from '../../edge/kitchen/region-display.ts';
import { frameCounts } from '../../edge/region-frames.ts';
import { StatusRelay } from '../../edge/status-relay.ts';
import type { Stream } from '../../gateway/stream.ts';

vi.setConfig({ testTimeout: 40_000 });
const soon = { timeout: 20_000 };
/** What a captive portal, a proxy or a newer region may say. The last two have a type, and not what belongs to it. */
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

it('the display of the region may say anything: the agent lives, counts, says so once and connects again', async () => {
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
    "the region's kitchen display sends what is no message; connecting again",
    expect.stringMatching(/^the region's kitchen display sends messages again after /),
  ]);
  display.close();
});

it('so may its stream of statuses', async () => {
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

it('a relay that was closed while its token was read opens no connection', async () => {
  const token = Promise.withResolvers<string>();
  const stream = { push: () => {} } as unknown as Stream;
  const relay = new StatusRelay({ upstream: url, token: () => token.promise, streams: new Set([stream]), logger });
  relay.opened();
  relay.close();
  token.resolve('token');
  // A connection made after it would come after a connection that the relay made.
  const other = new WebSocket(url.replace('http', 'ws'));
  await connection(1);
  other.close();
  expect(connections).toHaveLength(1);
});
