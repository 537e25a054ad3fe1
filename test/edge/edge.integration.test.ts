import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Config, loadConfig } from '../../contracts/config.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { startEdge } from '../../edge/edge.ts';
import { startGateway } from '../../gateway/gateway.ts';
import { issueToken } from '../../gateway/issuer.ts';
import { applyTopics, createAdmin } from '../../kafka/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createTestDatabase, servers, type TestDatabase } from '../support/servers.ts';

const logger = createLogger('test', 'silent');
const store = 'us-il-0001';
const started: RunningRole[] = [];
let directory: string;
let database: TestDatabase;

const configure = (more: Record<string, string> = {}): Config =>
  loadConfig({
    KAFKA_BROKERS: servers().brokers.join(','),
    DATABASE_URL: database.url,
    ORDERMESH_DATA_DIR: directory,
    ORDERMESH_GATEWAY_PORT: '0',
    ORDERMESH_GRPC_PORT: '0',
    ORDERMESH_ADMIN_PORT: '0',
    ...more,
  });

async function run(role: Promise<RunningRole>): Promise<RunningRole> {
  const running = await role;
  started.push(running);
  return running;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const order = (orderId: string, total: number) => ({
  orderId,
  storeId: store,
  channel: 'pos',
  placedAt: new Date().toISOString(),
  currency: 'USD',
  items: [{ sku: 'cheeseburger', quantity: 1, unitPrice: total }],
  total,
  payment: { method: 'cash' },
});

const post = (url: string, body: unknown, token: string) =>
  fetch(`${url}/v1/orders`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body, null, 2),
  });

beforeEach(async () => {
  database = await createTestDatabase();
  directory = await mkdtemp(join(tmpdir(), 'edge-'));
  const admin = await createAdmin({ clientId: 'edge-test', brokers: servers().brokers });
  await applyTopics(admin, configure());
  await admin.close();
});
afterEach(async () => {
  for (const role of started.splice(0).reverse()) await role.close();
  await rm(directory, { recursive: true });
  await database[Symbol.asyncDispose]();
});

it('sells while the line is down, and the region has the order when it is back', async () => {
  const token = await issueToken({ config: configure(), store });
  const tokenFile = join(directory, 'token');
  await writeFile(tokenFile, token);
  const port = await freePort();
  const edge = await run(
    startEdge(
      configure({ ORDERMESH_EDGE_UPSTREAM: `http://127.0.0.1:${port}`, ORDERMESH_EDGE_TOKEN_FILE: tokenFile }),
      logger,
    ),
  );
  const edgeUrl = edge.addresses.edge ?? '';
  const orderId = randomUUID();
  expect((await post(edgeUrl, order(orderId, 599), token)).status).toBe(202);

  const gateway = await run(startGateway(configure({ ORDERMESH_GATEWAY_PORT: String(port) }), logger));
  const gatewayUrl = gateway.addresses.gateway ?? '';
  await vi.waitFor(
    async () => {
      const answer = await fetch(`${gatewayUrl}/v1/orders/${orderId}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.status).toBe(200);
    },
    { timeout: 30_000 },
  );
});

it('refuses to start without an upstream and leaves the disk untouched', async () => {
  await expect(startEdge(configure(), logger)).rejects.toThrow('ORDERMESH_EDGE_UPSTREAM');
});
