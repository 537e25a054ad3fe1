import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { startGatewayCluster } from '../../gateway/cluster/cluster.ts';

const stub = fileURLToPath(new URL('./stub-member.ts', import.meta.url));
const soon = { timeout: 60_000, interval: 100 };

async function start() {
  const dir = mkdtempSync(join(tmpdir(), 'ordermesh-cluster-'));
  const lines: string[] = [];
  const config = loadConfig({
    ORDERMESH_DATA_DIR: dir,
    ORDERMESH_GATEWAY_PORT: '0',
    ORDERMESH_ADMIN_PORT: '0',
    ORDERMESH_GATEWAY_PROCESSES: '2',
  });
  const cluster = await startGatewayCluster(
    config,
    pino({ level: 'info' }, { write: (line) => lines.push(line) }),
    stub,
  );
  const admin = new URL(cluster.addresses['gateway metrics'] ?? '').origin;
  const text = async (path: string) => {
    const answer = await fetch(admin + path);
    return `${answer.status} ${await answer.text()}`;
  };
  return {
    cluster,
    file: join(dir, 'refuse'),
    /** How often a line with this text was logged. */
    logged: (part: string) => lines.filter((line) => line.includes(part)).length,
    text,
    async [Symbol.asyncDispose]() {
      await cluster.close();
      rmSync(dir, { recursive: true });
    },
  };
}

test('a member process that cannot restart is reported with its reason, once in the log; without the first one, which has gRPC, the gateway is not ready', async () => {
  await using gateway = await start();
  const readyz = () => gateway.text('/readyz');
  const pids = gateway.cluster.pids();
  await vi.waitFor(async () => expect(await readyz()).toBe('200 ready\n'), soon);
  writeFileSync(gateway.file, '');
  process.kill(pids[1] ?? 0, 'SIGKILL');
  const remark = /^200 ready\nprocesses: process 1 is down since [\d:]+: ORDERMESH_JWKS is broken\n$/;
  await vi.waitFor(async () => expect(await readyz()).toMatch(remark), soon);
  process.kill(pids[0] ?? 0, 'SIGKILL');
  const reason = /^503 [\s\S]*grpc: process 0 is down since [\d:]+: ORDERMESH_JWKS is broken\n/;
  await vi.waitFor(async () => expect(await readyz()).toMatch(reason), soon);
  expect(await gateway.text('/metrics')).toMatch(/^ordermesh_gateway_processes_wanted\{role="gateway"\} 2$/m);
  expect(await gateway.text('/metrics')).toMatch(/^ordermesh_gateway_processes\{role="gateway"\} 0$/m);
  rmSync(gateway.file);
  await vi.waitFor(async () => expect(await readyz()).toBe('200 ready\n'), soon);
  for (const index of [0, 1]) {
    expect(gateway.logged(`process ${index} of the gateway does not start: ORDERMESH_JWKS is broken`)).toBe(1);
    expect(gateway.logged(`process ${index} of the gateway listens again after`)).toBe(1);
  }
});

test('a member process that hangs makes the gateway not ready, is logged once, and is replaced', async () => {
  await using gateway = await start();
  const [first, victim = 0] = gateway.cluster.pids();
  await vi.waitFor(async () => expect(await gateway.text('/readyz')).toBe('200 ready\n'), soon);
  process.kill(victim, 'SIGSTOP');
  const reason = /^503 gateway: process 1 does not answer since /;
  await vi.waitFor(async () => expect(await gateway.text('/readyz')).toMatch(reason), soon);
  expect(await gateway.text('/metrics')).toMatch(/^ordermesh_gateway_processes\{role="gateway"\} 1$/m);
  await vi.waitFor(async () => expect(await gateway.text('/readyz')).toBe('200 ready\n'), soon);
  await vi.waitFor(() => expect(gateway.cluster.pids()).toHaveLength(2), soon);
  expect(gateway.cluster.pids()).toContain(first);
  expect(gateway.cluster.pids()).not.toContain(victim);
  await vi.waitFor(() => expect(gateway.logged('process 1 of the gateway has been replaced after')).toBe(1), soon);
  expect(gateway.logged('process 1 of the gateway does not answer')).toBe(1);
});

test('a profile that never comes is given up, and the next one is taken', async () => {
  await using gateway = await start();
  for (let n = 0; n < 2; n++) expect(await gateway.text('/debug/profile?seconds=0.1')).toBe('200 {"threads":[]}');
});
