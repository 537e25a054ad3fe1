import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Forwarder } from '../../edge/forwarder/forwarder.ts';
import { SpoolClient } from '../../edge/spool/client.ts';
import { headline } from '../../edge/status-text.ts';
import { StoreToken } from '../../edge/store-token.ts';
import { createLogger } from '../../telemetry/logger.ts';

let directory: string;
let region: Server;
let spool: SpoolClient;
let forwarder: Forwarder;
const soon = { timeout: 20_000 };
const file = () => join(directory, 'token');

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'token-'));
  writeFileSync(file(), 'token\n');
  const token = new StoreToken(file());
  region = createServer((_, response) => {
    response.writeHead(400, { 'x-ordermesh-region': 'east' });
    response.end(JSON.stringify({ code: 'malformed-body', detail: 'the batch is empty' }));
  });
  await new Promise<void>((resolve) => region.listen(0, '127.0.0.1', resolve));
  const limits = { unsentOrdersMax: 10, bytesMax: 2 ** 30, diskFreeMin: 0, replayWindowMs: 60_000, deadlineMs: 30_000 };
  spool = await SpoolClient.open({ path: join(directory, 'spool.db'), ...limits });
  forwarder = new Forwarder({
    spool,
    upstream: `http://127.0.0.1:${(region.address() as AddressInfo).port}`,
    token: () => token.read(),
    region: undefined,
    ordersMax: 10,
    gzip: false,
    bandwidthMax: undefined,
    answerMsMax: 10_000,
    backoffMsMax: 100,
    probeMs: 50,
    logger: createLogger('test', 'silent'),
  });
  await vi.waitFor(() => expect(forwarder.line.state).toBe('up'), soon);
});
afterEach(async () => {
  await forwarder.close();
  await spool.close();
  region.close();
  rmSync(directory, { recursive: true });
});

test.each([
  ['is removed', () => rmSync(file()), 'ENOENT'],
  ['has two tokens', () => writeFileSync(file(), 'one\ntwo\n'), 'it takes a file with one token'],
  ['is empty', () => writeFileSync(file(), ''), 'it takes a file with one token'],
])('a token file that %s is not a line that is down: an operator has to act', async (_, change, reason) => {
  change();
  await vi.waitFor(() => expect(forwarder.line.state).not.toBe('up'), soon);
  expect(forwarder.line).toMatchObject({ state: 'token-refused', reason: expect.stringContaining(reason) });
  const status = { agent: 'running' as const, line: forwarder.line, heldBack: [] };
  expect(headline({ ...status, spool: { path: '', ...(await spool.counts()) } }).level).toBe('bad');
  writeFileSync(file(), 'another\n');
  await vi.waitFor(() => expect(forwarder.line.state).toBe('up'), soon);
});
