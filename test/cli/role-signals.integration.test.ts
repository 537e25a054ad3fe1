import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startOrdermesh } from '../support/ordermesh.ts';
import { kafkaEnvironment } from '../support/servers.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'ordermesh-signals-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** Takes connections and never says anything. */
async function silentServer(): Promise<{ address: string } & AsyncDisposable> {
  const server = createServer(() => {});
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A gateway of the command line, without a database. */
async function startGatewayProcess(port = 0, ...args: string[]) {
  const gateway = startOrdermesh(['gateway', ...args], {
    ORDERMESH_DATA_DIR: dataDir,
    ...kafkaEnvironment(),
    ORDERMESH_GATEWAY_PORT: String(port),
    ORDERMESH_GRPC_PORT: '0',
    ORDERMESH_ADMIN_PORT: '0',
  });
  let log = '';
  gateway.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = new Promise<number | null>((resolve) => gateway.once('close', (code) => resolve(code)));
  const started = () => vi.waitFor(() => expect(log).toContain('"msg":"started"'), { timeout: 40_000, interval: 100 });
  return { gateway, ended, started, log: () => log };
}

test.each(['SIGHUP', 'SIGTERM', 'SIGINT'] as const)(
  '%s ends a gateway in good order, and it needs no database',
  async (signal) => {
    const { gateway, ended, started, log } = await startGatewayProcess();
    await started();
    expect(log()).toContain('DATABASE_URL is not set');
    gateway.kill(signal);
    expect(await ended).toBe(0);
    expect(log()).toContain(`"reason":"${signal}"`);
    expect(log()).toContain('"msg":"stopped"');
  },
);

test('a role whose start waits for a server that never answers ends at the first signal', async () => {
  await using silent = await silentServer();
  const worker = startOrdermesh(['worker', 'kitchen'], {
    ORDERMESH_DATA_DIR: dataDir,
    KAFKA_BROKERS: silent.address,
    DATABASE_URL: `postgres://ordermesh@${silent.address}/ordermesh`,
    ORDERMESH_ADMIN_PORT: '0',
  });
  let log = '';
  worker.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = new Promise<number | null>((resolve) => worker.once('close', (code) => resolve(code)));
  await vi.waitFor(() => expect(log).toContain('"msg":"still starting after 10 s"'), {
    timeout: 60_000,
    interval: 100,
  });
  worker.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(log).toContain('"msg":"stopped before it had started"');
});

test('a second gateway on a taken port ends with an error that names the port', async () => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  const first = await startGatewayProcess(port);
  await first.started();
  const second = await startGatewayProcess(port);
  expect(await second.ended).not.toBe(0);
  expect(second.log()).toContain(`cannot listen on port ${port}`);
  first.gateway.kill('SIGTERM');
  expect(await first.ended).toBe(0);
});
