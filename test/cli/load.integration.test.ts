import { afterAll, beforeAll, expect, test } from 'vitest';
import { transports } from '../../lab/traffic/index.ts';
import { startTestGateway, type TestServer, watchRawOrders } from '../gateway/support.ts';
import { ordermesh } from '../support/ordermesh.ts';

let gateway: TestServer;
let raw: Awaited<ReturnType<typeof watchRawOrders>>;
beforeAll(async () => {
  raw = await watchRawOrders();
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await raw[Symbol.asyncDispose]();
});

const env = () => ({ ORDERMESH_DATA_DIR: gateway.config.ORDERMESH_DATA_DIR });

test.each(transports)(
  'over %s every order of a load is in the log, and the report has the whole distribution',
  async (via) => {
    const before = raw.records.size;
    const url = via === 'grpc' ? (gateway.role.addresses.grpc ?? '').replace('grpc:', 'http:') : gateway.url;
    const command = [
      'load',
      '--via',
      via,
      '--gateway',
      url,
      '--rate',
      '100',
      '--seconds',
      '2',
      '--seed',
      '11',
      '--json',
    ];
    const { code, stdout, stderr } = await ordermesh(command, env());
    expect(stderr).toContain('seed 11');
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ seed: 11, via, sent: 200, accepted: 200, refused: {}, unanswered: 0 });
    expect(report.latency).toMatchObject({ count: 200, p99Ms: expect.any(Number), maxMs: expect.any(Number) });
    expect(report.percentiles.at(-1)).toMatchObject({ percentile: 100 });
    expect(report.steps).toMatchObject([{ rate: 100, generator: { cores: expect.any(Number) } }]);
    expect(code).toBe(0);
    await expect.poll(() => raw.records.size - before, { timeout: 20_000 }).toBe(200);
  },
);
