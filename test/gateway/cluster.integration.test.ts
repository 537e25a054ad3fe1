import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningCluster, startGatewayCluster } from '../../gateway/cluster/cluster.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { kafkaEnvironment } from '../support/servers.ts';
import { applyTestTopics, sampleOrder, type TestServer, testServer } from './support.ts';

const logger = createLogger('gateway', 'silent');
const start = (environment: Record<string, string> = {}) =>
  testServer(
    {
      ...kafkaEnvironment(),
      ORDERMESH_GATEWAY_PROCESSES: '2',
      ORDERMESH_GRPC_PORT: '0',
      ORDERMESH_LOG_LEVEL: 'silent',
      ...environment,
    },
    (config) => startGatewayCluster(config, logger),
  );

let gateway: TestServer;
beforeAll(async () => {
  await applyTestTopics();
  gateway = await start();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const metrics = async () => (await fetch(`${gateway.admin}/metrics`)).text();
async function value(name: string): Promise<number> {
  return Number(new RegExp(`^ordermesh_gateway_${name}\\{[^}]*\\} (\\d+)$`, 'm').exec(await metrics())?.[1] ?? 0);
}

/** Posts on a new connection, so that every process gets some orders. */
const post = () => gateway.post(sampleOrder(), { connection: 'close' });
const ready = () =>
  vi.waitFor(async () => expect((await fetch(`${gateway.admin}/readyz`)).status).toBe(200), { timeout: 20_000 });

test('several processes answer on one port, and one scrape counts for all of them', async () => {
  await ready();
  const before = await value('orders_accepted_total');
  const answers = await Promise.all(Array.from({ length: 40 }, post));
  expect(answers.every(({ status }) => status === 202)).toBe(true);
  expect(await value('orders_accepted_total')).toBe(before + 40);
  expect(await value('processes')).toBe(2);
});

test('one profile shows the threads of all of them', async () => {
  await ready();
  const { threads } = (await (await fetch(`${gateway.admin}/debug/profile?seconds=0.2`)).json()) as {
    threads: { thread: string }[];
  };
  expect(threads.map(({ thread }) => thread).sort()).toEqual(['process 0 main', 'process 1 main']);
});

test('a process that dies is replaced, orders go on, and no counter falls', async () => {
  await ready();
  await Promise.all(Array.from({ length: 20 }, post));
  const before = await value('orders_accepted_total');
  const cluster = gateway.role as RunningCluster;
  const [victim] = cluster.pids();
  process.kill(victim ?? 0, 'SIGKILL');
  await vi.waitFor(async () => expect(await value('process_restarts_total')).toBe(1), { timeout: 10_000 });
  expect(await value('orders_accepted_total')).toBeGreaterThanOrEqual(before);
  await vi.waitFor(async () => expect(await value('processes')).toBe(2), { timeout: 20_000 });
  await ready();
  expect((await post()).status).toBe(202);
  expect(cluster.pids()).not.toContain(victim);
});

test('a process that hangs is reported, left out of a scrape and a profile, and replaced', async () => {
  await ready();
  const cluster = gateway.role as RunningCluster;
  const [first, victim = 0] = cluster.pids();
  process.kill(victim, 'SIGSTOP');
  const readyz = async () => {
    const answer = await fetch(`${gateway.admin}/readyz`);
    return { status: answer.status, text: await answer.text() };
  };
  const not = { status: 503, text: expect.stringContaining('process 1 does not answer since') };
  await vi.waitFor(async () => expect(await readyz()).toEqual(not), { timeout: 30_000 });
  expect(await value('processes')).toBe(1);
  expect(await value('processes_wanted')).toBe(2);
  const { threads } = (await (await fetch(`${gateway.admin}/debug/profile?seconds=0.1`)).json()) as {
    threads: { thread: string }[];
  };
  expect(threads.map(({ thread }) => thread)).toEqual(['process 0 main']);
  await vi.waitFor(async () => expect(await value('processes')).toBe(2), { timeout: 60_000 });
  await ready();
  expect(cluster.pids()).toContain(first);
  expect(cluster.pids()).not.toContain(victim);
});

test('a taken port and an invalid configuration are reported as by a single process', async () => {
  const port = new URL(gateway.url).port;
  await expect(start({ ORDERMESH_GATEWAY_PORT: port })).rejects.toThrow(new RegExp(`port ${port}.*GATEWAY_PORT`));
  await expect(start({ ORDERMESH_AUTH: 'off', ORDERMESH_HOST: '0.0.0.0' })).rejects.toThrow(/ORDERMESH_AUTH/);
});

test('closing ends every process', async () => {
  const cluster = await start();
  const pids = (cluster.role as RunningCluster).pids();
  expect(pids).toHaveLength(2);
  await cluster[Symbol.asyncDispose]();
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
});
